import { Outlet } from '@tanstack/react-router';
import { Suspense, useEffect } from 'react';
import { whenUnauthenticated } from '@/api/client';
import { setSessionEnded, useSessionEnded } from '@/session/ended';
import { lazyPart } from '@/ui/lazyPart';
import { useEver } from '@/ui/useEver';

const ReauthModal = lazyPart(() => import('@/session/ReauthModal'));

export function SignedIn() {
  useEffect(() => {
    whenUnauthenticated(() => setSessionEnded(true));
    return () => whenUnauthenticated(undefined);
  }, []);
  const ended = useSessionEnded();
  const everEnded = useEver(ended);
  return (
    <>
      <Outlet />
      <Suspense>{everEnded && <ReauthModal />}</Suspense>
    </>
  );
}
