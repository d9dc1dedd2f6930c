import { hashKey, type QueryClient, type QueryKey } from '@tanstack/react-query';
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

interface Versioned extends Item {
  version: number;
  updated_at: string;
  move_id?: string;
  status: object;
}

/**
 * Keeps the objects of things that are as they were, so that only what changed is drawn again. The version counts
 * changes of the settings, so they need no comparison field by field: that would take too long for thousands.
 */
export function keepSame(before: unknown, after: unknown): unknown {
  if (!Array.isArray(before)) return after;
  const known = new Map((before as Versioned[]).map((item) => [item.id, item]));
  let changed = before.length !== (after as Versioned[]).length;
  const items = (after as Versioned[]).map((item, index) => {
    const old = known.get(item.id);
    const same =
      old !== undefined &&
      old.version === item.version &&
      old.updated_at === item.updated_at &&
      old.move_id === item.move_id &&
      JSON.stringify(old.status) === JSON.stringify(item.status);
    const kept = same ? old : item;
    changed ||= before[index] !== kept;
    return kept;
  });
  return changed ? items : before;
}

/**
 * Reads again what is cached under the key. A first read that is still on its way is begun anew: it may have been
 * answered before the change, and the library would otherwise take its answer for the new one.
 */
export async function reread(cache: QueryClient, queryKey: QueryKey, exact = false): Promise<void> {
  await cache.cancelQueries({ queryKey, exact, predicate: (query) => query.state.data === undefined });
  await cache.invalidateQueries({ queryKey, exact });
}

const seldom = 3_000;
const scheduled = new WeakMap<QueryClient, Map<string, { lastEnd: number; pending?: Promise<void> }>>();

/**
 * Reads a whole list again, but not more often than every few seconds: while thousands of things change, the list is
 * a little behind rather than read without a pause.
 */
function rereadSeldom(cache: QueryClient, key: QueryKey): Promise<void> {
  const hash = hashKey(key);
  const all = scheduled.get(cache) ?? new Map<string, { lastEnd: number; pending?: Promise<void> }>();
  scheduled.set(cache, all);
  const entry = all.get(hash) ?? { lastEnd: 0 };
  all.set(hash, entry);
  entry.pending ??= (async () => {
    const wait = entry.lastEnd + seldom - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    // Changes from here on may be missed by this read: they ask for another.
    entry.pending = undefined;
    await reread(cache, key, true);
    entry.lastEnd = Date.now();
  })();
  return entry.pending;
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
    await rereadSeldom(cache, key);
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
