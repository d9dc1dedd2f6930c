import { Button, Skeleton, Stack, TextInput, VisuallyHidden } from '@mantine/core';
import { IconPlus, IconRobot, IconSearch } from '@tabler/icons-react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { ButtonLink } from '@/ui/links';
import { PageHeader } from '@/ui/PageHeader';
import { useSought } from '@/ui/useSought';
import { useWorkers } from '@/workers/queries';
import { useScoped, useWorkerScope } from '@/workers/scope';
import classes from './BotsPage.module.css';
import { BotTable } from './BotTable';
import { countGroups, filterBots, stateGroups } from './filter';
import { useBots } from './queries';

const route = getRouteApi('/signed-in/t/$tenant/bots');

/** All bots, what needs a person first. */
export function BotsPage() {
  const { t } = useTranslation(['bots', 'ui', 'workers', 'status']);
  const format = useFormat();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const scope = useWorkerScope();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/t/$tenant/bots' });
  const workersRead = useWorkers();
  const botsRead = useBots();
  const { bots } = useScoped(workersRead.data, botsRead.data);
  const workerNames = useMemo(() => new Map((workersRead.data ?? []).map((w) => [w.id, w.name])), [workersRead.data]);

  const keep = (q: string | undefined) => void navigate({ search: (s) => ({ ...s, q }), replace: true });
  const { query, setQuery, sought } = useSought(search.q, keep, 120);

  const found = useMemo(
    () => filterBots(bots, workerNames, { query: sought, state: search.state, kind: search.kind }, format.compare),
    [bots, workerNames, sought, search.state, search.kind, format],
  );
  const counts = useMemo(() => countGroups(bots), [bots]);
  const noWorkers = workersRead.data?.length === 0;

  const create = may.changeBots && !noWorkers && (
    <ButtonLink to="/t/$tenant/bots/new" params={{ tenant }} leftSection={<IconPlus size={16} />}>
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
    if (workersRead.isPending || botsRead.isPending) {
      return (
        <Stack gap={1} role="status" aria-label={t('ui:loading')}>
          {[0, 1, 2, 3, 4, 5].map((i) => (
            <Skeleton key={i} h={60} radius="md" />
          ))}
        </Stack>
      );
    }
    if (bots.length === 0) {
      return noWorkers ? (
        <EmptyState
          icon={IconRobot}
          title={t('empty.noWorker')}
          text={may.createWorkers ? t('empty.noWorkerText') : t('empty.noWorkerLimited')}
          action={
            may.createWorkers && (
              <ButtonLink to="/t/$tenant/workers/new" params={{ tenant }} leftSection={<IconPlus size={16} />}>
                {t('empty.createWorker')}
              </ButtonLink>
            )
          }
        />
      ) : (
        <EmptyState
          icon={IconRobot}
          title={scope ? t('empty.inWorker', { name: workerNames.get(scope) ?? '' }) : t('empty.title')}
          text={may.changeBots ? t('empty.text') : t('empty.textLimited')}
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
                void navigate({ search: (s) => ({ ...s, state: undefined, q: undefined, kind: undefined }) });
              }}
            >
              {t('ui:empty.clear')}
            </Button>
          }
        />
      );
    }
    return <BotTable bots={found} workerNames={workerNames} />;
  };

  return (
    <>
      <PageHeader title={t('title')} text={t('text')} actions={bots.length > 0 && create} />
      {bots.length > 0 && (
        <div className={classes.toolbar}>
          <TextInput
            className={classes.search}
            aria-label={t('search')}
            placeholder={t('search')}
            leftSection={<IconSearch size={15} stroke={1.8} />}
            value={query}
            onChange={(e) => setQuery(e.currentTarget.value)}
          />
          <fieldset className={classes.chips}>
            <VisuallyHidden component="legend">{t('workers:toolbar.states')}</VisuallyHidden>
            {[undefined, ...stateGroups].map((group) => (
              <button
                key={group ?? 'all'}
                type="button"
                className={classes.chip}
                aria-pressed={search.state === group}
                onClick={() => void navigate({ search: (s) => ({ ...s, state: group }), replace: true })}
              >
                {group ? t(`workers:group.${group}`) : t('workers:group.all')}
                <span className="numeric">{format.number(group ? counts[group] : bots.length)}</span>
              </button>
            ))}
          </fieldset>
          <fieldset className={classes.kinds}>
            <VisuallyHidden component="legend">{t('kind')}</VisuallyHidden>
            {(['assistant', 'program'] as const).map((kind) => (
              <button
                key={kind}
                type="button"
                className={classes.chip}
                aria-pressed={search.kind === kind}
                onClick={() =>
                  void navigate({
                    search: (s) => ({ ...s, kind: s.kind === kind ? undefined : kind }),
                    replace: true,
                  })
                }
              >
                {t(`kinds.${kind}`)}
              </button>
            ))}
          </fieldset>
        </div>
      )}
      {content()}
    </>
  );
}
