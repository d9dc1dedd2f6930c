import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, must } from '@/api/client';
import { reread } from '@/api/collection';
import type { Refresh } from '@/api/live';
import type { Event } from '@/api/resources';
import { tenantKeys } from '@/tenants/queries';
import type { EventArea } from './areas';

export interface EventFilter {
  worker?: string;
  bot?: string;
  /** The id of who did it, or "platform" for what nobody did. */
  user?: string;
  area?: EventArea;
  level?: Event['level'][];
  search?: string;
  from?: string;
  to?: string;
}

export const eventKeys = {
  all: (tenant: string) => [...tenantKeys.all(tenant), 'events'] as const,
};

const queryOf = (filter: EventFilter) => ({
  worker: filter.worker ? [filter.worker] : undefined,
  bot: filter.bot || undefined,
  user: filter.user ? [filter.user] : undefined,
  area: filter.area ? [filter.area] : undefined,
  level: filter.level?.length ? filter.level : undefined,
  search: filter.search || undefined,
  from: filter.from || undefined,
  to: filter.to || undefined,
});

/** The latest events. */
export const latestEventsQuery = (tenant: string, filter: EventFilter, limit: number) =>
  queryOptions({
    queryKey: [...eventKeys.all(tenant), 'latest', filter, limit],
    queryFn: async ({ signal }): Promise<Event[]> =>
      (
        await must(
          client.GET('/tenants/{tenant}/events', {
            params: { path: { tenant }, query: { ...queryOf(filter), limit } },
            signal,
          }),
        )
      ).items,
  });

/** All events that match, page by page, newest first. */
export const eventsQuery = (tenant: string, filter: EventFilter) =>
  infiniteQueryOptions({
    queryKey: [...eventKeys.all(tenant), 'pages', filter],
    queryFn: ({ pageParam, signal }): Promise<{ items: Event[]; next?: string }> =>
      must(
        client.GET('/tenants/{tenant}/events', {
          params: { path: { tenant }, query: { ...queryOf(filter), cursor: pageParam || undefined, limit: 100 } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  });

/** Reads all events that match, at most this many. */
export async function readEvents(tenant: string, filter: EventFilter, most: number): Promise<Event[]> {
  const events: Event[] = [];
  let cursor: string | undefined;
  do {
    const page = await must(
      client.GET('/tenants/{tenant}/events', {
        params: { path: { tenant }, query: { ...queryOf(filter), cursor, limit: 500 } },
      }),
    );
    events.push(...page.items);
    cursor = page.next || undefined;
  } while (cursor && events.length < most);
  return events.slice(0, most);
}

export const refreshEvents: Refresh = (cache, tenant) => reread(cache, eventKeys.all(tenant));
