import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { allPages, client, idempotencyKey, ifMatch, must } from '@/api/client';
import { keepSame, refreshItems, upsert } from '@/api/collection';
import type { Refresh } from '@/api/live';
import { ApiError, errorOf } from '@/api/problem';
import type { Assistant, Bot, ChannelCheck, Program } from '@/api/resources';
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
    structuralSharing: keepSame,
  });

export const useBots = () => useQuery(botsQuery(useTenantSlug()));

/** One bot out of all; data is null when there is none with the id. */
export function useBot(id: string) {
  return useQuery({
    ...botsQuery(useTenantSlug()),
    select: (bots: Bot[]) => bots.find((b) => b.id === id) ?? null,
  });
}

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

/** Puts answers of the API into the cached list. */
function useStore() {
  const cache = useQueryClient();
  const tenant = useTenantSlug();
  const put = (bot: Bot) => void cache.setQueryData<Bot[]>(botKeys.list(tenant), (list) => list && upsert(list, [bot]));
  return {
    cache,
    tenant,
    put,
    /** After a conflict: shows what is saved now. */
    reread: async (id: string) => {
      const bot = await readBot(tenant, id);
      put(bot);
      return bot;
    },
  };
}

export interface BotInput {
  worker_id: string;
  name: string;
  kind: Bot['kind'];
  access?: Bot['access'];
  desired?: Bot['desired'];
  assistant?: Assistant;
  program?: Program;
}

export function useCreateBot() {
  const { cache, tenant, put } = useStore();
  return useMutation({
    mutationFn: (body: BotInput): Promise<Bot> =>
      must(client.POST('/tenants/{tenant}/bots', { params: { path: { tenant } }, body })),
    onSuccess: (bot) => {
      put(bot);
      void cache.invalidateQueries({ queryKey: tenantKeys.totals(tenant) });
    },
  });
}

export type BotChange = Partial<Pick<Bot, 'name' | 'access' | 'assistant' | 'program'>>;

export function useUpdateBot(id: string) {
  const { tenant, put, reread } = useStore();
  const mutation = useMutation({
    mutationFn: ({ version, change }: { version: number; change: BotChange }): Promise<Bot> =>
      must(
        client.PATCH('/tenants/{tenant}/bots/{bot}', {
          params: { path: { tenant, bot: id }, header: ifMatch(version) },
          body: change,
        }),
      ),
    onSuccess: put,
  });
  return { ...mutation, reread: () => reread(id) };
}

export type BotAction = 'start' | 'stop' | 'restart';

export function useBotAction() {
  const { tenant, put } = useStore();
  return useMutation({
    mutationFn: ({ id, action }: { id: string; action: BotAction }): Promise<Bot> => {
      const params = { params: { path: { tenant, bot: id } } };
      switch (action) {
        case 'start':
          return must(client.POST('/tenants/{tenant}/bots/{bot}/start', params));
        case 'stop':
          return must(client.POST('/tenants/{tenant}/bots/{bot}/stop', params));
        case 'restart':
          return must(client.POST('/tenants/{tenant}/bots/{bot}/restart', params));
      }
    },
    onSuccess: put,
  });
}

export function useDeleteBot(id: string) {
  const { cache, tenant } = useStore();
  return useMutation({
    mutationFn: (confirm: string) =>
      must(
        client.DELETE('/tenants/{tenant}/bots/{bot}', { params: { path: { tenant, bot: id }, query: { confirm } } }),
      ),
    onSuccess: () => {
      cache.setQueryData<Bot[]>(botKeys.list(tenant), (list) => list?.filter((b) => b.id !== id));
      void cache.invalidateQueries({ queryKey: tenantKeys.totals(tenant) });
    },
  });
}

/** Sends a program's archive and says how far it is, from 0 to 1. */
export function sendFiles(tenant: string, bot: string, file: Blob, onProgress: (share: number) => void): Promise<Bot> {
  return new Promise((resolve, reject) => {
    // fetch doesn't tell how far an upload is.
    const request = new XMLHttpRequest();
    request.open('PUT', `/api/v1/tenants/${encodeURIComponent(tenant)}/bots/${encodeURIComponent(bot)}/files`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('Idempotency-Key', idempotencyKey());
    request.upload.onprogress = (e) => e.lengthComputable && onProgress(e.loaded / e.total);
    request.onerror = () => reject(new ApiError({ status: 0, code: 'network', message: '' }));
    request.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = undefined;
      }
      if (request.status >= 200 && request.status < 300) resolve(body as Bot);
      else reject(errorOf(new Response(null, { status: request.status || 500 }), body));
    };
    request.send(file);
  });
}

export function useSendFiles() {
  const { tenant, put } = useStore();
  return useMutation({
    mutationFn: ({ id, file, onProgress }: { id: string; file: Blob; onProgress: (share: number) => void }) =>
      sendFiles(tenant, id, file, onProgress),
    onSuccess: put,
  });
}

export function useNewAccessToken() {
  const tenant = useTenantSlug();
  return useMutation({
    mutationFn: (bot: string) =>
      must(client.POST('/tenants/{tenant}/bots/{bot}/access-token', { params: { path: { tenant, bot } } })),
  });
}

/** An address that lets this browser reach a bot for an hour, whatever its access. */
export function usePreview() {
  const tenant = useTenantSlug();
  return useMutation({
    mutationFn: (bot: string) =>
      must(client.POST('/tenants/{tenant}/bots/{bot}/preview', { params: { path: { tenant, bot } } })),
  });
}

export function useSendMessage() {
  const tenant = useTenantSlug();
  return useMutation({
    mutationFn: ({ bot, message, conversation }: { bot: string; message: string; conversation?: string }) =>
      must(
        client.POST('/tenants/{tenant}/bots/{bot}/messages', {
          params: { path: { tenant, bot } },
          body: { message, conversation },
        }),
      ),
  });
}

/** Asks the chat platforms of an assistant, from inside its Worker, whether the connections are right. */
export function useCheckChannels(bot: string) {
  const tenant = useTenantSlug();
  return useMutation({
    mutationFn: async (): Promise<ChannelCheck[]> =>
      (await must(client.POST('/tenants/{tenant}/bots/{bot}/channels/check', { params: { path: { tenant, bot } } })))
        .items,
  });
}

/** Has Telegram send messages to the assistant; gives how the connection is after that. */
export function useRegisterTelegram(bot: string) {
  const tenant = useTenantSlug();
  return useMutation({
    mutationFn: async (): Promise<ChannelCheck[]> =>
      (
        await must(
          client.POST('/tenants/{tenant}/bots/{bot}/channels/telegram/webhook', { params: { path: { tenant, bot } } }),
        )
      ).items,
  });
}
