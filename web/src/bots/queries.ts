import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { allPages, client, must } from '@/api/client';
import { refreshItems } from '@/api/collection';
import type { Refresh } from '@/api/live';
import type { Bot } from '@/api/resources';
import { tenantKeys, useTenantSlug } from '@/tenants/queries';

export const botKeys = {
  list: (tenant: string) => [...tenantKeys.all(tenant), 'bots'] as const,
};

export const readBot = (tenant: string, bot: string): Promise<Bot> =>
  must(client.GET('/tenants/{tenant}/bots/{bot}', { params: { path: { tenant, bot } } }));

/** Every bot that the person sees. It is kept up to date by the stream of changes. */
export const botsQuery = (tenant: string) =>
  queryOptions({
    queryKey: botKeys.list(tenant),
    queryFn: ({ signal }): Promise<Bot[]> =>
      allPages((cursor) =>
        must(
          client.GET('/tenants/{tenant}/bots', { params: { path: { tenant }, query: { cursor, limit: 500 } }, signal }),
        ),
      ),
  });

export const useBots = () => useQuery(botsQuery(useTenantSlug()));

export const refreshBots: Refresh = async (cache, tenant, ids) => {
  await Promise.all([
    refreshItems(cache, botKeys.list(tenant), ids, (id) => readBot(tenant, id)),
    cache.invalidateQueries({ queryKey: tenantKeys.totals(tenant) }),
  ]);
};

/** The bots of each Worker, by the Worker's id. */
export function botsByWorker(bots: readonly Bot[]): Map<string, Bot[]> {
  const groups = new Map<string, Bot[]>();
  for (const bot of bots) {
    const group = groups.get(bot.worker_id);
    if (group) group.push(bot);
    else groups.set(bot.worker_id, [bot]);
  }
  return groups;
}

export function useBotsByWorker(): Map<string, Bot[]> {
  const { data } = useBots();
  return useMemo(() => botsByWorker(data ?? []), [data]);
}
