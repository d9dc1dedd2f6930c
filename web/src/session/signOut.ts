import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';
import { setSessionEnded } from './ended';
import { forgetAll, useLogout } from './queries';

/** Ends the log-in and goes to the sign-in page. */
export function useSignOut(): () => void {
  const cache = useQueryClient();
  const router = useRouter();
  const { mutate } = useLogout();
  return useCallback(
    () =>
      mutate(undefined, {
        onSettled: async () => {
          setSessionEnded(false);
          await router.navigate({ to: '/login' });
          forgetAll(cache);
        },
      }),
    [mutate, cache, router],
  );
}
