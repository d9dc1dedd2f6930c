import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { allPages, client, ifMatch, must } from '@/api/client';
import type { Refresh } from '@/api/live';
import type { Invitation, Member, Role, Token } from '@/api/resources';
import { meKey } from '@/session/queries';
import { tenantKeys, useTenantSlug } from '@/tenants/queries';

export const teamKeys = {
  all: (tenant: string) => [...tenantKeys.all(tenant), 'team'] as const,
};

export const membersQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...teamKeys.all(tenant), 'members'],
    queryFn: ({ signal }): Promise<Member[]> =>
      allPages((cursor) =>
        must(
          client.GET('/tenants/{tenant}/members', {
            params: { path: { tenant }, query: { cursor, limit: 500 } },
            signal,
          }),
        ),
      ),
  });

export const useMembers = (enabled = true) => useQuery({ ...membersQuery(useTenantSlug()), enabled });

export const invitationsQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...teamKeys.all(tenant), 'invitations'],
    queryFn: ({ signal }): Promise<Invitation[]> =>
      allPages((cursor) =>
        must(
          client.GET('/tenants/{tenant}/invitations', {
            params: { path: { tenant }, query: { cursor, limit: 500 } },
            signal,
          }),
        ),
      ),
  });

export const tokensQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...teamKeys.all(tenant), 'tokens'],
    queryFn: ({ signal }): Promise<Token[]> =>
      allPages((cursor) =>
        must(
          client.GET('/tenants/{tenant}/tokens', {
            params: { path: { tenant }, query: { cursor, limit: 500 } },
            signal,
          }),
        ),
      ),
  });

export const refreshTeam: Refresh = async (cache, tenant) => {
  await Promise.all([
    cache.invalidateQueries({ queryKey: teamKeys.all(tenant) }),
    cache.invalidateQueries({ queryKey: tenantKeys.totals(tenant) }),
    // One's own role may be what changed.
    cache.invalidateQueries({ queryKey: meKey }),
  ]);
};

function useRefresh() {
  const cache = useQueryClient();
  const tenant = useTenantSlug();
  return { tenant, refresh: () => void refreshTeam(cache, tenant, []) };
}

export interface InvitationInput {
  email: string;
  role: Role;
  worker_ids: string[];
}

/** Invites a person; the answer holds the link, once. */
export function useInvite() {
  const { tenant, refresh } = useRefresh();
  return useMutation({
    mutationFn: (body: InvitationInput) =>
      must(client.POST('/tenants/{tenant}/invitations', { params: { path: { tenant } }, body })),
    onSuccess: refresh,
  });
}

export function useWithdraw() {
  const { tenant, refresh } = useRefresh();
  return useMutation({
    mutationFn: (invitation: string) =>
      must(client.DELETE('/tenants/{tenant}/invitations/{invitation}', { params: { path: { tenant, invitation } } })),
    onSuccess: refresh,
  });
}

export function useUpdateMember() {
  const cache = useQueryClient();
  const { tenant, refresh } = useRefresh();
  const mutation = useMutation({
    mutationFn: ({ member, role, worker_ids }: { member: Member; role: Role; worker_ids: string[] }) =>
      must(
        client.PATCH('/tenants/{tenant}/members/{member}', {
          params: { path: { tenant, member: member.user_id }, header: ifMatch(member.version) },
          body: { role, worker_ids },
        }),
      ),
    onSuccess: refresh,
  });
  return {
    ...mutation,
    /** After a conflict: the member as they are now, if they still are one. */
    reread: async (member: string) =>
      (await cache.fetchQuery({ ...membersQuery(tenant), staleTime: 0 })).find((m) => m.user_id === member),
  };
}

/** Ends a membership, or one's own. */
export function useRemoveMember() {
  const { tenant, refresh } = useRefresh();
  return useMutation({
    mutationFn: (member: string) =>
      must(client.DELETE('/tenants/{tenant}/members/{member}', { params: { path: { tenant, member } } })),
    onSuccess: refresh,
  });
}

export interface TokenInput {
  name: string;
  scopes: Token['scopes'];
  expires_at?: string;
}

/** Makes an API token; the answer holds its secret, once. */
export function useCreateToken() {
  const { tenant, refresh } = useRefresh();
  return useMutation({
    mutationFn: (body: TokenInput) =>
      must(client.POST('/tenants/{tenant}/tokens', { params: { path: { tenant } }, body })),
    onSuccess: refresh,
  });
}

export function useEndToken() {
  const { tenant, refresh } = useRefresh();
  return useMutation({
    mutationFn: (token: string) =>
      must(client.DELETE('/tenants/{tenant}/tokens/{token}', { params: { path: { tenant, token } } })),
    onSuccess: refresh,
  });
}
