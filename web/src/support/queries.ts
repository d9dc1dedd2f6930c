import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { client, must } from '@/api/client';
import { reread } from '@/api/collection';
import type { Refresh } from '@/api/live';
import type { components } from '@/api/schema';
import { meKey } from '@/session/queries';
import { tenantKeys } from '@/tenants/queries';

export type Support = components['schemas']['Support'];

export const supportKeys = {
  all: (tenant: string) => [...tenantKeys.all(tenant), 'support'] as const,
};

/** Who of the platform is in the company now. */
export const activeSupportQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...supportKeys.all(tenant), 'active'],
    queryFn: async ({ signal }): Promise<Support[]> =>
      (
        await must(
          client.GET('/tenants/{tenant}/support', { params: { path: { tenant }, query: { active: true } }, signal }),
        )
      ).items,
    staleTime: 60_000,
    // The stream of changes tells; this is for a page that stays open while it is away.
    refetchInterval: 60_000,
  });

/** The latest support sessions, those that are over as well. */
export const supportHistoryQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...supportKeys.all(tenant), 'history'],
    queryFn: async ({ signal }): Promise<Support[]> =>
      (
        await must(
          client.GET('/tenants/{tenant}/support', { params: { path: { tenant }, query: { limit: 10 } }, signal }),
        )
      ).items,
    refetchInterval: 60_000,
  });

export const refreshSupport: Refresh = async (cache, tenant) => {
  await Promise.all([
    reread(cache, supportKeys.all(tenant)),
    cache.invalidateQueries({ queryKey: meKey }), // an operator is in the company, or no longer
  ]);
};

export function useOpenSupport(tenant: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { reason: string; minutes: number }) =>
      must(client.POST('/tenants/{tenant}/support', { params: { path: { tenant } }, body })),
    // What the operator may do in the company is part of their own person.
    onSettled: () => refreshSupport(cache, tenant, []),
  });
}

export function useEndSupport(tenant: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (support: string) =>
      must(client.DELETE('/tenants/{tenant}/support/{support}', { params: { path: { tenant, support } } })),
    onSettled: () => refreshSupport(cache, tenant, []),
  });
}
