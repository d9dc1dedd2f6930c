import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { allPages, client, must } from '@/api/client';
import type { Refresh } from '@/api/live';
import type { Secret } from '@/api/resources';
import { tenantKeys, useTenantSlug } from '@/tenants/queries';

export const secretKeys = {
  all: (tenant: string) => [...tenantKeys.all(tenant), 'secrets'] as const,
};

/** The names of every secret that the person sees. Values can't be read. */
export const secretsQuery = (tenant: string) =>
  queryOptions({
    queryKey: secretKeys.all(tenant),
    queryFn: ({ signal }): Promise<Secret[]> =>
      allPages((cursor) =>
        must(
          client.GET('/tenants/{tenant}/secrets', {
            params: { path: { tenant }, query: { cursor, limit: 500 } },
            signal,
          }),
        ),
      ),
  });

export const useSecrets = () => useQuery(secretsQuery(useTenantSlug()));

export const refreshSecrets: Refresh = (cache, tenant) => cache.invalidateQueries({ queryKey: secretKeys.all(tenant) });

export interface SecretInput {
  name: string;
  value: string;
  /** The only Worker whose bots may use it; every Worker when left out. */
  worker?: string;
}

/** Sets a secret: a new one, or another value of one that is there. */
export function usePutSecret() {
  const tenant = useTenantSlug();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ name, value, worker }: SecretInput): Promise<Secret> =>
      must(
        client.PUT('/tenants/{tenant}/secrets/{name}', {
          params: { path: { tenant, name } },
          body: { value, worker_id: worker },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: secretKeys.all(tenant) }),
  });
}

export function useDeleteSecret() {
  const tenant = useTenantSlug();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ name, worker_id }: Secret) =>
      must(
        client.DELETE('/tenants/{tenant}/secrets/{name}', {
          params: { path: { tenant, name }, query: { worker: worker_id } },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: secretKeys.all(tenant) }),
  });
}
