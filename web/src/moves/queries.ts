import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { client, must } from '@/api/client';
import { refreshItems, upsert } from '@/api/collection';
import type { Refresh } from '@/api/live';
import type { Bot, Move } from '@/api/resources';
import { botKeys } from '@/bots/queries';
import { tenantKeys, useTenantSlug } from '@/tenants/queries';

export const moveKeys = {
  list: (tenant: string) => [...tenantKeys.all(tenant), 'moves'] as const,
};

/** The latest moves, newest first: enough for those in progress. */
export const movesQuery = (tenant: string) =>
  queryOptions({
    queryKey: moveKeys.list(tenant),
    queryFn: async ({ signal }): Promise<Move[]> =>
      (
        await must(
          client.GET('/tenants/{tenant}/moves', { params: { path: { tenant }, query: { limit: 100 } }, signal }),
        )
      ).items,
  });

export const useMoves = () => useQuery(movesQuery(useTenantSlug()));

export const refreshMoves: Refresh = (cache, tenant, ids) =>
  refreshItems(cache, moveKeys.list(tenant), ids, (move) =>
    must(client.GET('/tenants/{tenant}/moves/{move}', { params: { path: { tenant, move } } })),
  );

/** Asks for a hand-over of a bot to another Worker. */
export function useMoveBot() {
  const cache = useQueryClient();
  const tenant = useTenantSlug();
  return useMutation({
    mutationFn: ({ bot, to }: { bot: Bot; to: string }): Promise<Move> =>
      must(
        client.POST('/tenants/{tenant}/bots/{bot}/move', {
          params: { path: { tenant, bot: bot.id } },
          body: { worker_id: to },
        }),
      ),
    onSuccess: (move, { bot }) => {
      cache.setQueryData<Move[]>(moveKeys.list(tenant), (list) => list && upsert(list, [move]));
      cache.setQueryData<Bot[]>(
        botKeys.list(tenant),
        (list) => list && upsert(list, [{ ...bot, move_id: move.id, status: { ...bot.status, state: 'moving' } }]),
      );
    },
  });
}
