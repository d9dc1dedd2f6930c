import { queryOptions, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { client, must } from '@/api/client';
import { reread } from '@/api/collection';
import type { Refresh } from '@/api/live';
import type { Capabilities, Membership, Role, Tenant } from '@/api/resources';
import { useMe } from '@/session/queries';

export const tenantKeys = {
  /** Everything of a tenant. */
  all: (tenant: string) => ['tenant', tenant] as const,
  detail: (tenant: string) => ['tenant', tenant, 'detail'] as const,
  totals: (tenant: string) => ['tenant', tenant, 'totals'] as const,
};

export const tenantQuery = (tenant: string) =>
  queryOptions({
    queryKey: tenantKeys.detail(tenant),
    queryFn: ({ signal }): Promise<Tenant> =>
      must(client.GET('/tenants/{tenant}', { params: { path: { tenant } }, signal })),
  });

/** What the tenant has, and what its plan allows. */
export const totalsQuery = (tenant: string) =>
  queryOptions({
    queryKey: tenantKeys.totals(tenant),
    queryFn: ({ signal }) => must(client.GET('/tenants/{tenant}/totals', { params: { path: { tenant } }, signal })),
  });

export const useTotals = () => useQuery(totalsQuery(useTenantSlug()));

/** What the engine of Workers can do here. */
export const capabilitiesQuery = queryOptions({
  queryKey: ['capabilities'],
  queryFn: ({ signal }): Promise<Capabilities> => must(client.GET('/capabilities', { signal })),
  staleTime: 5 * 60_000,
});

export const refreshTenant: Refresh = async (cache, tenant) => {
  await Promise.all([reread(cache, tenantKeys.detail(tenant)), reread(cache, tenantKeys.totals(tenant))]);
};

/** The tenant in the address: its slug. */
export function useTenantSlug(): string {
  return useParams({ from: '/signed-in/t/$tenant', select: (p) => p.tenant });
}

const rank: Record<Role, number> = { owner: 3, admin: 2, operator: 1, viewer: 0 };

/** What a membership allows. */
export function permissionsOf(membership: Membership | undefined) {
  const level = membership ? rank[membership.role] : -1;
  const limited = (membership?.worker_ids?.length ?? 0) > 0;
  const suspended = membership?.tenant.status === 'suspended';
  const from = (role: Role) => level >= rank[role] && !suspended;
  /** An operator in support mode isn't given what would outlast the session, takes data out or destroys it. */
  const member = level >= 0 && !membership?.support;
  return {
    role: membership?.role,
    /** Sees only some Workers. */
    limited,
    suspended,
    createWorkers: from('admin') && !limited,
    changeWorkers: from('admin'),
    controlWorkers: from('operator'),
    /** Make, change and move bots. */
    changeBots: from('operator'),
    deleteBots: from('operator') && member,
    /** Access tokens of bots. */
    changeAccess: from('operator') && member,
    takeFiles: level >= rank.operator && member,
    ownTokens: member,
    changeSecrets: from('admin'),
    seeMembers: level >= 0 && !limited,
    changeMembers: from('admin') && !limited,
    changeTenant: from('owner') && !limited,
  };
}

/** What the person may do in the tenant, to show or hide actions. The API decides; this only spares a refusal. */
export function usePermissions() {
  const me = useMe();
  const slug = useTenantSlug();
  return permissionsOf(me.tenants.find((m) => m.tenant.slug === slug || m.tenant.id === slug));
}
