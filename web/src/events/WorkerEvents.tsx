import { Button, Card, Group } from '@mantine/core';
import { IconActivity } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { EventList, EventListSkeleton } from './EventList';
import { eventsQuery } from './queries';

/** The events of one Worker and its bots. */
export function WorkerEvents({ worker }: { worker: string }) {
  const { t } = useTranslation(['events', 'ui']);
  const tenant = useTenantSlug();
  const query = useInfiniteQuery(eventsQuery(tenant, { worker }));
  const events = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card>
      {query.isPending ? (
        <EventListSkeleton />
      ) : failureOf(query) ? (
        <ErrorPanel error={query.error} retry={() => void query.refetch()} />
      ) : events.length === 0 ? (
        <EmptyState icon={IconActivity} title={t('page.empty')} compact />
      ) : (
        <>
          <EventList events={events} hideWorker />
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
  );
}
