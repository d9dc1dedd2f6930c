import type { Bot, Worker } from '@/api/resources';
import { matcher } from '@/search/match';
import { type Tone, toneOrder, workerTone } from '@/status/tone';

export type StateGroup = 'attention' | 'running' | 'stopped' | 'busy';
export const stateGroups: StateGroup[] = ['attention', 'running', 'busy', 'stopped'];

const groupOf: Record<Tone, StateGroup> = {
  bad: 'attention',
  warn: 'attention',
  ok: 'running',
  off: 'stopped',
  busy: 'busy',
};

export const sortKeys = ['name', 'state', 'bots', 'cpu', 'memory', 'disk', 'since'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Sort {
  key: SortKey;
  descending: boolean;
}

/** Reads a sort from the address, such as "name" or "-bots". */
export function parseSort(text: string | undefined): Sort {
  const key = sortKeys.find((k) => k === text?.replace(/^-/, ''));
  return key ? { key, descending: text?.startsWith('-') ?? false } : { key: 'name', descending: false };
}

export const formatSort = ({ key, descending }: Sort): string => (descending ? `-${key}` : key);

export interface WorkerFilter {
  query?: string;
  state?: StateGroup;
  sort: Sort;
}

/** The Workers that match, in order. A Worker matches by its own name or by that of a bot in it. */
export function filterWorkers(
  workers: readonly Worker[],
  bots: ReadonlyMap<string, readonly Bot[]>,
  filter: WorkerFilter,
  compareNames: (a: string, b: string) => number,
): Worker[] {
  const matches = matcher(filter.query ?? '');
  const found = workers.filter(
    (w) =>
      (!filter.state || groupOf[workerTone[w.status.state]] === filter.state) &&
      (!filter.query || matches(w.name) || (bots.get(w.id)?.some((b) => matches(b.name)) ?? false)),
  );
  const { key, descending } = filter.sort;
  const by: Record<SortKey, (a: Worker, b: Worker) => number> = {
    name: () => 0,
    state: (a, b) => toneOrder[workerTone[a.status.state]] - toneOrder[workerTone[b.status.state]],
    bots: (a, b) => (bots.get(a.id)?.length ?? 0) - (bots.get(b.id)?.length ?? 0),
    cpu: (a, b) => a.size.cpu_millis - b.size.cpu_millis,
    memory: (a, b) => a.size.memory_mib - b.size.memory_mib,
    disk: (a, b) => a.size.disk_gib - b.size.disk_gib,
    since: (a, b) => Date.parse(a.status.since) - Date.parse(b.status.since),
  };
  const sign = descending ? -1 : 1;
  return found.sort((a, b) =>
    key === 'name' ? sign * compareNames(a.name, b.name) : sign * by[key](a, b) || compareNames(a.name, b.name),
  );
}

/** How many Workers each group of states has. */
export function countGroups(workers: readonly Worker[]): Record<StateGroup, number> {
  const counts: Record<StateGroup, number> = { attention: 0, running: 0, busy: 0, stopped: 0 };
  for (const w of workers) counts[groupOf[workerTone[w.status.state]]]++;
  return counts;
}
