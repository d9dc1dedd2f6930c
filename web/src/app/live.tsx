import { Tooltip } from '@mantine/core';
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ChangeKind, follow, type LiveState, type Refresh } from '@/api/live';
import { refreshBots } from '@/bots/queries';
import { refreshEvents } from '@/events/queries';
import { refreshMoves } from '@/moves/queries';
import { refreshSecrets } from '@/secrets/queries';
import { meKey } from '@/session/queries';
import { refreshSupport } from '@/support/queries';
import { refreshTeam } from '@/team/queries';
import { refreshTenant, tenantKeys } from '@/tenants/queries';
import { refreshWorkers } from '@/workers/queries';
import classes from './live.module.css';

/** What each kind of change makes out of date. */
const refreshers: Partial<Record<ChangeKind, Refresh>> = {
  tenant: refreshTenant,
  worker: refreshWorkers,
  bot: refreshBots,
  move: refreshMoves,
  event: refreshEvents,
  member: refreshTeam,
  invitation: refreshTeam,
  token: refreshTeam,
  secret: refreshSecrets,
  support: refreshSupport,
};

export function applyChanges(cache: QueryClient, tenant: string, changes: Map<ChangeKind, Set<string>>): void {
  for (const [kind, ids] of changes) {
    void refreshers[kind]?.(cache, tenant, [...ids]);
  }
}

/** Reads again what was read of the tenant, and what is on its way: its answer may be older than now. */
export function readAgain(cache: QueryClient, tenant: string): void {
  const queryKey = tenantKeys.all(tenant);
  const firstReads = cache.getQueryCache().findAll({
    queryKey,
    fetchStatus: 'fetching',
    predicate: (q) => q.state.data === undefined, // nothing can begin those anew
  });
  for (const q of firstReads) {
    const again = () => cache.invalidateQueries({ queryKey: q.queryKey, exact: true });
    void q.promise?.then(again, () => undefined);
  }
  void cache.invalidateQueries({ queryKey });
}

const LiveContext = createContext<LiveState>('connecting');

/** How the stream of changes is. */
export const useLive = (): LiveState => useContext(LiveContext);

/** Keeps everything that was read of the tenant up to date. */
export function LiveProvider({ tenant, children }: { tenant: string; children: ReactNode }) {
  const cache = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  useEffect(() => {
    let first = true;
    return follow({
      url: `/api/v1/tenants/${encodeURIComponent(tenant)}/changes`,
      onState: setState,
      onChanges: (changes) => applyChanges(cache, tenant, changes),
      onRefused: () => {
        // Perhaps the person may no longer be here, or the log-in has ended: these reads say so.
        void cache.invalidateQueries({ queryKey: meKey });
        void cache.invalidateQueries({ queryKey: tenantKeys.detail(tenant) });
      },
      onResync: () => {
        // A stream also ends when what the person may see changes.
        if (!first) void cache.invalidateQueries({ queryKey: meKey });
        first = false;
        readAgain(cache, tenant);
      },
    });
  }, [cache, tenant]);
  return <LiveContext value={state}>{children}</LiveContext>;
}

/** Whether what is shown is live; silent while all is well. */
export function LiveIndicator() {
  const { t } = useTranslation('app');
  const state = useLive();
  return (
    <Tooltip label={t(`live.${state}Help`)} multiline maw={260}>
      <span className={classes.root} data-state={state} role="status">
        <span className={classes.dot} aria-hidden />
        <span className={classes.label}>{t(`live.${state}`)}</span>
      </span>
    </Tooltip>
  );
}
