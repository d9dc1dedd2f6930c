import type { Refresh } from '@/api/live';
import { tenantKeys } from '@/tenants/queries';

export const teamKeys = {
  all: (tenant: string) => [...tenantKeys.all(tenant), 'team'] as const,
};

export const refreshTeam: Refresh = async (cache, tenant) => {
  await Promise.all([
    cache.invalidateQueries({ queryKey: teamKeys.all(tenant) }),
    cache.invalidateQueries({ queryKey: tenantKeys.totals(tenant) }),
  ]);
};
