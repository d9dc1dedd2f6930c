import type { QueryClient, QueryKey } from '@tanstack/react-query';
import { isApiError } from './problem';

interface Item {
  id: string;
}

/** Puts the items in the place of those with their ids, or at the end, and leaves the others as they are. */
export function upsert<T extends Item>(list: readonly T[], items: readonly T[]): T[] {
  const next = [...list];
  const at = new Map(list.map((item, index) => [item.id, index]));
  for (const item of items) {
    const index = at.get(item.id);
    if (index === undefined) next.push(item);
    else next[index] = item;
  }
  return next;
}

/**
 * Reads again what is cached under the key. A first read that is still on its way is begun anew: it may have been
 * answered before the change, and the library would otherwise take its answer for the new one.
 */
export async function reread(cache: QueryClient, queryKey: QueryKey, exact = false): Promise<void> {
  await cache.cancelQueries({ queryKey, exact, predicate: (query) => query.state.data === undefined });
  await cache.invalidateQueries({ queryKey, exact });
}

/** More than this many changed items are read as a list again. */
const fewEnough = 12;

/**
 * Brings a cached list up to date after changes of the items with the given ids: few are read one by one, many (or a
 * list that is on its way already) as a whole. An item that is gone leaves the list.
 */
export async function refreshItems<T extends Item>(
  cache: QueryClient,
  key: QueryKey,
  ids: readonly string[],
  read: (id: string) => Promise<T>,
): Promise<void> {
  const state = cache.getQueryState(key);
  if (!state) return;
  if (ids.length > fewEnough || state.data === undefined || state.fetchStatus !== 'idle') {
    await reread(cache, key, true);
    return;
  }
  const gone = new Set<string>();
  const fresh: T[] = [];
  try {
    await Promise.all(
      ids.map(async (id) => {
        try {
          fresh.push(await read(id));
        } catch (error) {
          if (!isApiError(error, 'not_found')) throw error;
          gone.add(id);
        }
      }),
    );
  } catch {
    await reread(cache, key, true);
    return;
  }
  cache.setQueryData<T[]>(key, (list) => list && upsert(list, fresh).filter((item) => !gone.has(item.id)));
}
