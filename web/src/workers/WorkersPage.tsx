import { Button } from '@mantine/core';
import { IconPlus, IconSearch, IconServer2 } from '@tabler/icons-react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useBots, useBotsByWorker } from '@/bots/queries';
import { useFormat } from '@/i18n/format';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { lazyPart } from '@/ui/lazyPart';
import { ButtonLink } from '@/ui/links';
import { PageHeader } from '@/ui/PageHeader';
import { useSought } from '@/ui/useSought';
import { Board, BoardSkeleton } from './Board';
import { countGroups, filterWorkers, formatSort, parseSort } from './filter';
import { useWorkers } from './queries';
import { useScoped } from './scope';
import { WorkersToolbar } from './WorkersToolbar';

const WorkerTable = lazyPart(() => import('./WorkerTable'));

const route = getRouteApi('/signed-in/t/$tenant/workers');

/** All Workers, as a board or as a list. */
export function WorkersPage() {
  const { t } = useTranslation(['workers', 'ui']);
  const format = useFormat();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/t/$tenant/workers' });
  const workersRead = useWorkers();
  const botsRead = useBots();
  const { workers } = useScoped(workersRead.data, botsRead.data);
  const bots = useBotsByWorker();

  const keep = (q: string | undefined) => void navigate({ search: (s) => ({ ...s, q }), replace: true });
  const { query, setQuery, sought } = useSought(search.q, keep, 120);

  const sort = useMemo(() => parseSort(search.sort), [search.sort]);
  const found = useMemo(
    () => filterWorkers(workers, bots, { query: sought, state: search.state, sort }, format.compare),
    [workers, bots, sought, search.state, sort, format],
  );
  const counts = useMemo(() => countGroups(workers), [workers]);
  const view = search.view ?? 'board';

  const create = may.createWorkers && (
    <ButtonLink to="/t/$tenant/workers/new" params={{ tenant }} leftSection={<IconPlus size={16} />}>
      {t('create')}
    </ButtonLink>
  );

  const content = () => {
    const error = failureOf(workersRead, botsRead);
    if (error) {
      return (
        <ErrorPanel
          error={error}
          retry={() => {
            void workersRead.refetch();
            void botsRead.refetch();
          }}
        />
      );
    }
    if (workersRead.isPending || botsRead.isPending) return <BoardSkeleton />;
    if (workers.length === 0) {
      return (
        <EmptyState
          icon={IconServer2}
          title={t('empty.title')}
          text={may.createWorkers ? t('empty.text') : t('empty.textLimited')}
          action={create}
        />
      );
    }
    if (found.length === 0) {
      return (
        <EmptyState
          icon={IconSearch}
          title={t('ui:empty.filtered')}
          text={t('ui:empty.filteredText')}
          action={
            <Button
              variant="default"
              onClick={() => {
                setQuery('');
                void navigate({ search: (s) => ({ ...s, state: undefined, q: undefined }) });
              }}
            >
              {t('ui:empty.clear')}
            </Button>
          }
        />
      );
    }
    return view === 'board' ? (
      <Board workers={found} bots={bots} canMove={may.changeBots} />
    ) : (
      <Suspense fallback={<BoardSkeleton />}>
        <WorkerTable
          workers={found}
          bots={bots}
          sort={sort}
          onSort={(next) => void navigate({ search: (s) => ({ ...s, sort: formatSort(next) }), replace: true })}
        />
      </Suspense>
    );
  };

  return (
    <>
      <PageHeader title={t('title')} text={t('text')} actions={create} />
      {workers.length > 0 && (
        <WorkersToolbar
          query={query}
          onQuery={setQuery}
          state={search.state}
          onState={(state) => void navigate({ search: (s) => ({ ...s, state }), replace: true })}
          counts={counts}
          total={workers.length}
          view={view}
          onView={(next) => void navigate({ search: (s) => ({ ...s, view: next }), replace: true })}
        />
      )}
      {content()}
    </>
  );
}
