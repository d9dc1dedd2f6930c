import { Outlet } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { whenUnauthenticated } from '@/api/client';
import { setSessionEnded, useSessionEnded } from '@/session/ended';
import { lazyPart } from '@/ui/lazyPart';

const ReauthModal = lazyPart(() => import('@/session/ReauthModal'));

export function SignedIn() {
  useEffect(() => {
    whenUnauthenticated(() => setSessionEnded(true));
    return () => whenUnauthenticated(undefined);
  }, []);
  const ended = useSessionEnded();
  const [everEnded, setEverEnded] = useState(ended);
  if (ended && !everEnded) setEverEnded(true);
  return (
    <>
      <Outlet />
      <Suspense>{everEnded && <ReauthModal />}</Suspense>
    </>
  );
}
