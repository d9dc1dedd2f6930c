import { infiniteQueryOptions, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { client, ifMatch, must } from '@/api/client';
import type { Limits, Plan, Tenant } from '@/api/resources';
import type { components } from '@/api/schema';

export type Health = components['schemas']['Health'];
export type TenantSummary = components['schemas']['TenantSummary'];

export const operatorKeys = {
  tenants: ['operator', 'tenants'] as const,
  plans: ['operator', 'plans'] as const,
  health: ['operator', 'health'] as const,
};

export interface TenantFilter {
  search?: string;
  status?: Tenant['status'];
  plan?: string;
}

/** How every part of the platform is, now. */
export const healthQuery = queryOptions({
  queryKey: operatorKeys.health,
  queryFn: ({ signal }): Promise<Health> => must(client.GET('/platform/health', { signal })),
  refetchInterval: 15_000,
});

/** Every tenant of the platform with what it has and used, page by page. */
export const tenantsQuery = (filter: TenantFilter) =>
  infiniteQueryOptions({
    queryKey: [...operatorKeys.tenants, 'list', filter],
    queryFn: ({ pageParam, signal }): Promise<{ items: TenantSummary[]; next?: string }> =>
      must(
        client.GET('/platform/tenants', {
          params: { query: { ...filter, cursor: pageParam || undefined, limit: 50 } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 60_000,
  });

export const tenantQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...operatorKeys.tenants, 'one', tenant],
    queryFn: ({ signal }): Promise<Tenant> =>
      must(client.GET('/tenants/{tenant}', { params: { path: { tenant } }, signal })),
  });

export const totalsQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...operatorKeys.tenants, 'totals', tenant],
    queryFn: ({ signal }) => must(client.GET('/tenants/{tenant}/totals', { params: { path: { tenant } }, signal })),
    refetchInterval: 60_000,
  });

export const plansQuery = queryOptions({
  queryKey: operatorKeys.plans,
  queryFn: async ({ signal }): Promise<Plan[]> => (await must(client.GET('/plans', { signal }))).items,
});

export const usePlans = () => useQuery(plansQuery);

export const invitationsQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...operatorKeys.tenants, 'invitations', tenant],
    queryFn: async ({ signal }) =>
      (
        await must(
          client.GET('/tenants/{tenant}/invitations', { params: { path: { tenant }, query: { limit: 100 } }, signal }),
        )
      ).items,
  });

export function useCreateTenant() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; slug?: string; plan?: string }) => must(client.POST('/tenants', { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: operatorKeys.tenants }),
  });
}

export function useUpdateTenant() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({
      tenant,
      change,
    }: {
      tenant: Tenant;
      change: { name?: string; plan?: string; status?: Tenant['status'] };
    }) =>
      must(
        client.PATCH('/tenants/{tenant}', {
          params: { path: { tenant: tenant.id }, header: ifMatch(tenant.version) },
          body: change,
        }),
      ),
    // After a conflict too: what is shown is out of date.
    onSettled: () => cache.invalidateQueries({ queryKey: operatorKeys.tenants }),
  });
}

export function useDeleteTenant() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, confirm }: { id: string; confirm: string }) =>
      must(client.DELETE('/tenants/{tenant}', { params: { path: { tenant: id }, query: { confirm } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: [...operatorKeys.tenants, 'list'] }),
  });
}

export function useInviteOwner(tenant: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (email: string) =>
      must(
        client.POST('/tenants/{tenant}/invitations', { params: { path: { tenant } }, body: { email, role: 'owner' } }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: operatorKeys.tenants }),
  });
}

export function usePutPlan() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name, limits }: { id: string; name: string; limits: Limits }) =>
      must(client.PUT('/plans/{plan}', { params: { path: { plan: id } }, body: { name, limits } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: operatorKeys.plans }),
  });
}
