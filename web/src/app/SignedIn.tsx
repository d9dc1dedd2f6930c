import { Outlet } from '@tanstack/react-router';
import { useEffect } from 'react';
import { whenUnauthenticated } from '@/api/client';
import { setSessionEnded } from '@/session/ended';
import { ReauthModal } from '@/session/ReauthModal';

export function SignedIn() {
  useEffect(() => {
    whenUnauthenticated(() => setSessionEnded(true));
    return () => whenUnauthenticated(undefined);
  }, []);
  return (
    <>
      <Outlet />
      <ReauthModal />
    </>
  );
}
