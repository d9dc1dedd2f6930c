import { Button, Card, Group, SegmentedControl, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconActivity, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Event } from '@/api/resources';
import { useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/errors';
import { PageHeader } from '@/ui/PageHeader';
import { useWorkerScope } from '@/workers/scope';
import { EventList, EventListSkeleton } from './EventList';
import { eventsQuery } from './queries';

type Levels = 'all' | 'problems';
const problems: Event['level'][] = ['warning', 'error'];

/** Everything that happened, newest first. */
export function ActivityPage() {
  const { t } = useTranslation(['events', 'ui']);
  const tenant = useTenantSlug();
  const worker = useWorkerScope();
  const [levels, setLevels] = useState<Levels>('all');
  const [search, setSearch] = useState('');
  const [sought] = useDebouncedValue(search, 250);
  const query = useInfiniteQuery(
    eventsQuery(tenant, { worker, level: levels === 'problems' ? problems : undefined, search: sought }),
  );
  const events = query.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = sought !== '' || levels !== 'all';

  return (
    <>
      <PageHeader title={t('page.title')} text={t('page.text')} />
      <Group mb="md" gap="sm">
        <TextInput
          w={280}
          aria-label={t('page.search')}
          placeholder={t('page.search')}
          leftSection={<IconSearch size={15} stroke={1.8} />}
          value={search}
          onChange={(e) => setSearch(e.currentTarget.value)}
        />
        <SegmentedControl
          aria-label={t('page.levels')}
          value={levels}
          onChange={(value) => setLevels(value as Levels)}
          data={[
            { value: 'all', label: t('page.all') },
            { value: 'problems', label: t('page.problems') },
          ]}
        />
      </Group>
      <Card>
        {query.isPending ? (
          <EventListSkeleton lines={10} />
        ) : query.isError ? (
          <ErrorPanel error={query.error} retry={() => void query.refetch()} />
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
                    setSearch('');
                    setLevels('all');
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
            <EventList events={events} />
            {query.hasNextPage && (
              <Group justify="center">
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
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
