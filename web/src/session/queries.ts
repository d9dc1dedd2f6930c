import { type QueryClient, queryOptions, useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { client, must } from '@/api/client';
import type { Account } from '@/api/resources';

export const meKey = ['me'] as const;

/** The person who is logged in, with the tenants they are a member of. */
export const meQuery = queryOptions({
  queryKey: meKey,
  queryFn: ({ signal }): Promise<Account> => must(client.GET('/me', { signal })),
  staleTime: 5 * 60_000,
});

/** The person who is logged in. Only below routes that wait for meQuery. */
export function useMe(): Account {
  return useSuspenseQuery(meQuery).data;
}

export function useLogin() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { email: string; password: string }) => must(client.POST('/login', { body })),
    onSuccess: () => cache.fetchQuery({ ...meQuery, staleTime: 0 }),
  });
}

export function useLogout() {
  return useMutation({ mutationFn: () => must(client.POST('/logout')) });
}

export interface AcceptInvitation {
  token: string;
  name?: string;
  password: string;
  locale?: 'pt-BR' | 'en';
}

export function useAcceptInvitation() {
  return useMutation({
    mutationFn: (body: AcceptInvitation) => must(client.POST('/invitations/accept', { body })),
  });
}

export interface AccountChange {
  name?: string;
  locale?: 'pt-BR' | 'en';
  password?: string;
  current_password?: string;
}

export function useUpdateAccount() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: AccountChange) => must(client.PATCH('/me', { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: meKey }),
  });
}

/** Forgets everything that was read for the person who leaves. */
export function forgetAll(cache: QueryClient): void {
  cache.clear();
}
