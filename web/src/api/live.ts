import type { QueryClient } from '@tanstack/react-query';

/** The kinds of changes that the server announces. */
export const changeKinds = [
  'tenant', 'worker', 'bot', 'move', 'member', 'invitation', 'secret', 'token', 'event', 'support', 'resync',
] as const; // biome-ignore format: one line
export type ChangeKind = (typeof changeKinds)[number];

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'offline';

/** Brings the cache up to date after changes of one kind to the things with these ids. */
export type Refresh = (cache: QueryClient, tenant: string, ids: string[]) => void | Promise<void>;

interface Options {
  url: string;
  onState: (state: LiveState) => void;
  /** Changes that came in within a short while, by kind. */
  onChanges: (changes: Map<ChangeKind, Set<string>>) => void;
  /** Changes up to now may have been missed: read everything again. Every stream begins with that. */
  onResync: () => void;
  /** The stream could not be opened: there is no way to the server, or it refuses, and streams don't say which. */
  onRefused: () => void;
  open?: (url: string) => EventSource;
}

const gatherFor = 150;
const firstRetry = 1_000;
const lastRetry = 20_000;

/**
 * Follows the server's stream of changes and stays with it: a broken stream is opened again, with growing waits, and
 * at once when the browser is back on line. Returns what ends it.
 */
export function follow({
  url,
  onState,
  onChanges,
  onResync,
  onRefused,
  open = (u) => new EventSource(u),
}: Options): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let gather: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;
  let connectedBefore = false;
  let pending = new Map<ChangeKind, Set<string>>();

  const flush = () => {
    gather = undefined;
    const changes = pending;
    pending = new Map();
    onChanges(changes);
  };

  const receive = (kind: ChangeKind, event: MessageEvent<string>) => {
    let id = '';
    try {
      id = (JSON.parse(event.data) as { id?: string }).id ?? '';
    } catch {
      kind = 'resync';
    }
    if (kind === 'resync') {
      // To read everything again makes up for what was announced before, not for what comes after.
      pending.clear();
      clearTimeout(gather);
      gather = undefined;
      onResync();
      return;
    }
    const ids = pending.get(kind) ?? new Set();
    pending.set(kind, ids.add(id));
    gather ??= setTimeout(flush, gatherFor);
  };

  const connect = () => {
    clearTimeout(retry);
    source?.close();
    onState(attempts === 0 && !connectedBefore ? 'connecting' : 'reconnecting');
    source = open(url);
    let opened = false;
    source.onopen = () => {
      opened = true;
      attempts = 0;
      onState('live');
      connectedBefore = true;
    };
    source.onerror = () => {
      source?.close();
      if (!opened) onRefused();
      onState(navigator.onLine === false ? 'offline' : 'reconnecting');
      const wait = Math.min(lastRetry, firstRetry * 2 ** attempts++);
      clearTimeout(retry);
      retry = setTimeout(connect, wait * (0.75 + Math.random() / 2));
    };
    for (const kind of changeKinds) {
      source.addEventListener(kind, (event) => receive(kind, event as MessageEvent<string>));
    }
  };

  const online = () => connect();
  const offline = () => onState('offline');
  window.addEventListener('online', online);
  window.addEventListener('offline', offline);
  connect();
  return () => {
    window.removeEventListener('online', online);
    window.removeEventListener('offline', offline);
    clearTimeout(retry);
    clearTimeout(gather);
    source?.close();
  };
}
