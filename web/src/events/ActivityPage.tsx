import { Button, Card, Group, Pill, SegmentedControl, Select, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconActivity, IconDownload, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Event } from '@/api/resources';
import { useBots } from '@/bots/queries';
import { useMembers } from '@/team/queries';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf, InlineError } from '@/ui/errors';
import { PageHeader } from '@/ui/PageHeader';
import { useSought } from '@/ui/useSought';
import { useWorkers } from '@/workers/queries';
import { useWorkerScope } from '@/workers/scope';
import classes from './ActivityPage.module.css';
import { eventAreas } from './areas';
import { csvOf, rangeOfDays } from './csv';
import { EventList, EventListSkeleton } from './EventList';
import { type EventFilter, eventsQuery, readEvents } from './queries';
import { doerOf, useEventText } from './text';

const route = getRouteApi('/signed-in/t/$tenant/activity');
const problems: Event['level'][] = ['warning', 'error'];

/** Everything that happened, newest first. */
export function ActivityPage() {
  const { t } = useTranslation(['events', 'ui', 'status']);
  const tenant = useTenantSlug();
  const worker = useWorkerScope();
  const may = usePermissions();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/t/$tenant/activity' });
  const keep = (q: string | undefined) => void navigate({ search: (s) => ({ ...s, q }), replace: true });
  const { query, setQuery, sought } = useSought(search.q, keep, 250);
  const filter: EventFilter = {
    worker,
    bot: search.bot,
    user: search.user,
    area: search.area,
    level: search.levels === 'problems' ? problems : undefined,
    search: sought,
    ...rangeOfDays(search.from, search.to),
  };
  const read = useInfiniteQuery(eventsQuery(tenant, filter));
  const events = useMemo(() => read.data?.pages.flatMap((page) => page.items) ?? [], [read.data]);
  const { data: members } = useMembers(may.seeMembers);
  const people = useMemo(() => new Map((members ?? []).map((m) => [m.user_id, m.name || m.email])), [members]);
  const { data: bots } = useBots();
  const bot = bots?.find((b) => b.id === search.bot);
  const filtered = Boolean(
    sought || search.levels || search.bot || search.user || search.area || search.from || search.to,
  );

  return (
    <>
      <PageHeader
        title={t('page.title')}
        text={t('page.text')}
        actions={<Export tenant={tenant} filter={filter} people={people} />}
      />
      <div className={classes.toolbar}>
        <TextInput
          className={classes.search}
          aria-label={t('page.search')}
          placeholder={t('page.search')}
          leftSection={<IconSearch size={15} stroke={1.8} />}
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
        />
        <SegmentedControl
          aria-label={t('page.levels')}
          value={search.levels ?? 'all'}
          onChange={(value) =>
            void navigate({
              search: (s) => ({ ...s, levels: value === 'problems' ? 'problems' : undefined }),
              replace: true,
            })
          }
          data={[
            { value: 'all', label: t('page.all') },
            { value: 'problems', label: t('page.problems') },
          ]}
        />
        <Select
          className={classes.choice}
          aria-label={t('page.area')}
          placeholder={t('page.anyArea')}
          clearable
          data={eventAreas.map((area) => ({ value: area, label: t(`area.${area}`) }))}
          value={search.area ?? null}
          onChange={(area) => void navigate({ search: (s) => ({ ...s, area: area ?? undefined }), replace: true })}
        />
        {may.seeMembers && (
          <Select
            className={classes.choice}
            aria-label={t('page.who')}
            placeholder={t('page.anybody')}
            clearable
            searchable={people.size > 8}
            data={[
              ...[...people].map(([value, label]) => ({ value, label })),
              { value: 'platform', label: t('page.platformDid') },
            ]}
            value={search.user ?? null}
            onChange={(user) => void navigate({ search: (s) => ({ ...s, user: user ?? undefined }), replace: true })}
          />
        )}
        <Group gap="xs" wrap="nowrap" className={classes.days}>
          {(['from', 'to'] as const).map((end) => (
            <label key={end} className={classes.day} htmlFor={`day-${end}`}>
              <span>{t(`page.${end}`)}</span>
              <TextInput
                id={`day-${end}`}
                type="date"
                min={end === 'to' ? search.from : undefined}
                max={end === 'from' ? search.to : undefined}
                value={search[end] ?? ''}
                onChange={(e) => {
                  const value = e.currentTarget.value || undefined;
                  void navigate({ search: (s) => ({ ...s, [end]: value }), replace: true });
                }}
              />
            </label>
          ))}
        </Group>
        {search.bot && (
          <Pill
            size="md"
            withRemoveButton
            onRemove={() => void navigate({ search: (s) => ({ ...s, bot: undefined }), replace: true })}
            removeButtonProps={{ 'aria-label': t('ui:empty.clear'), 'aria-hidden': false, tabIndex: 0 }}
          >
            {t('page.ofBot', { name: bot?.name ?? search.bot })}
          </Pill>
        )}
      </div>
      <Card>
        {read.isPending ? (
          <EventListSkeleton lines={10} />
        ) : failureOf(read) ? (
          <ErrorPanel error={read.error} retry={() => void read.refetch()} />
        ) : events.length === 0 ? (
          filtered ? (
            <EmptyState
              icon={IconSearch}
              title={t('ui:empty.filtered')}
              text={t('ui:empty.filteredText')}
              action={
                <Button
                  variant="default"
                  onClick={() => {
                    setQuery('');
                    void navigate({
                      search: (s) => ({
                        ...s,
                        q: undefined,
                        levels: undefined,
                        bot: undefined,
                        user: undefined,
                        area: undefined,
                        from: undefined,
                        to: undefined,
                      }),
                      replace: true,
                    });
                  }}
                >
                  {t('ui:empty.clear')}
                </Button>
              }
            />
          ) : (
            <EmptyState icon={IconActivity} title={t('page.empty')} text={t('page.emptyText')} />
          )
        ) : (
          <>
            <EventList events={events} people={people} />
            {read.hasNextPage && (
              <Group justify="center">
                <Button variant="default" loading={read.isFetchingNextPage} onClick={() => void read.fetchNextPage()}>
                  {t('ui:loadMore')}
                </Button>
              </Group>
            )}
          </>
        )}
      </Card>
    </>
  );
}

interface ExportProps {
  tenant: string;
  filter: EventFilter;
  people: ReadonlyMap<string, string>;
}

const mostExported = 10_000;

/** Saves what matches the filters, not only what is on the page, as CSV. */
function Export({ tenant, filter, people }: ExportProps) {
  const { t } = useTranslation(['events', 'status']);
  const say = useEventText();
  const { data: workers } = useWorkers();
  const { data: bots } = useBots();
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const events = await readEvents(tenant, filter, mostExported);
      const workerNames = new Map((workers ?? []).map((w) => [w.id, w.name]));
      const botNames = new Map((bots ?? []).map((b) => [b.id, b.name]));
      const rows = [
        [t('page.when'), t('page.level'), 'kind', t('page.worker'), t('page.bot'), t('page.who'), t('page.what')],
        ...events.map((e) => {
          const { subject, text } = say(e);
          return [
            e.at,
            t(`status:level.${e.level}`),
            e.kind,
            e.worker_id ? (workerNames.get(e.worker_id) ?? e.worker_id) : '',
            e.bot_id ? (botNames.get(e.bot_id) ?? e.bot_id) : '',
            doerOf(t, e, people) ?? t('page.platform'),
            subject ? `${subject}: ${text}` : text,
          ];
        }),
      ];
      // The mark at the beginning tells spreadsheet programs that this is UTF-8.
      const url = URL.createObjectURL(new Blob(['\uFEFF', csvOf(rows)], { type: 'text/csv' }));
      const link = document.createElement('a');
      link.href = url;
      link.download = `${t('page.file')}-${new Date().toISOString().slice(0, 10)}.csv`;
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      notifications.show({ color: 'red', autoClose: 8000, message: <InlineError error={error} /> });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button variant="default" leftSection={<IconDownload size={16} />} loading={busy} onClick={() => void run()}>
      {t('page.export')}
    </Button>
  );
}
