import { Card, Title } from '@mantine/core';
import { IconArrowRight, IconPlus, IconRobot } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Bot, Worker } from '@/api/resources';
import { BotRows } from '@/bots/BotRows';
import { EventList, EventListSkeleton } from '@/events/EventList';
import { latestEventsQuery } from '@/events/queries';
import { useFormat } from '@/i18n/format';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { AnchorLink, ButtonLink } from '@/ui/links';
import { Meter } from '@/ui/Meter';
import { currentUseQuery } from '@/usage/current';
import classes from './WorkerOverview.module.css';

/** A Worker at a glance: its bots, what it uses now, what happened last. */
export function WorkerOverview({ worker, bots }: { worker: Worker; bots: Bot[] }) {
  const { t } = useTranslation('workers');
  const tenant = useTenantSlug();
  const may = usePermissions();
  const events = useQuery(latestEventsQuery(tenant, { worker: worker.id }, 8));
  const addBot = may.changeBots && (
    <ButtonLink
      to="/t/$tenant/bots/new"
      params={{ tenant }}
      search={{ worker: worker.id }}
      size="xs"
      variant={bots.length === 0 ? 'filled' : 'default'}
      leftSection={<IconPlus size={15} />}
    >
      {t('addBot')}
    </ButtonLink>
  );
  return (
    <div className={classes.layout}>
      <div className={classes.main}>
        <Card component="section" aria-labelledby="bots" padding={0}>
          <div className={classes.head}>
            <Title order={2} id="bots">
              {t('bots')}
            </Title>
            {bots.length > 0 && addBot}
          </div>
          {bots.length > 0 ? (
            <BotRows bots={bots} />
          ) : (
            <EmptyState icon={IconRobot} title={t('noBots.title')} text={t('noBots.text')} action={addBot} compact />
          )}
        </Card>
      </div>
      <div className={classes.side}>
        <UseNow worker={worker} />
        <Card component="section" aria-labelledby="latest">
          <div className={classes.headIn}>
            <Title order={2} id="latest">
              {t('latest')}
            </Title>
            <AnchorLink
              to="/t/$tenant/workers/$workerId"
              params={{ tenant, workerId: worker.id }}
              search={{ tab: 'events' }}
              size="sm"
            >
              {t('allEvents')} <IconArrowRight size={14} style={{ verticalAlign: -2 }} aria-hidden />
            </AnchorLink>
          </div>
          {failureOf(events) ? (
            <ErrorPanel error={events.error} retry={() => void events.refetch()} />
          ) : events.data ? (
            <EventList events={events.data} hideWorker />
          ) : (
            <EventListSkeleton lines={5} />
          )}
        </Card>
      </div>
    </div>
  );
}

function UseNow({ worker }: { worker: Worker }) {
  const { t } = useTranslation('workers');
  const format = useFormat();
  const tenant = useTenantSlug();
  const { data } = useQuery(currentUseQuery(tenant));
  const use = data?.get(worker.id);
  const { size } = worker;
  const applied = worker.status.applied_size;
  const pending =
    applied && (applied.cpu_millis !== size.cpu_millis || applied.memory_mib !== size.memory_mib)
      ? format.size(applied)
      : undefined;
  return (
    <Card component="section" aria-labelledby="now">
      <Title order={2} id="now" mb="md">
        {t('useNow')}
      </Title>
      <div className={classes.meters}>
        <Meter
          label={t('cpu')}
          name={t('cpu')}
          value={use?.cpuMillis ?? 0}
          limit={size.cpu_millis}
          text={t('useOf', {
            value: use ? format.cores(use.cpuMillis) : '–',
            limit: format.cpu(size.cpu_millis),
          })}
        />
        <Meter
          label={t('memory')}
          name={t('memory')}
          value={use?.memoryMib ?? 0}
          limit={size.memory_mib}
          text={t('useOf', { value: use ? format.memory(use.memoryMib) : '–', limit: format.memory(size.memory_mib) })}
        />
        <Meter
          label={t('disk')}
          name={t('disk')}
          value={use?.diskGib ?? 0}
          limit={size.disk_gib}
          text={t('useOf', {
            value: use ? format.bytes(use.diskGib * 2 ** 30) : '–',
            limit: format.disk(size.disk_gib),
          })}
        />
      </div>
      <dl className={classes.facts}>
        <dt>{t('isolation.label')}</dt>
        <dd>{t(`isolation.${worker.isolation}.name`)}</dd>
        <dt>{t('imageLabel')}</dt>
        <dd className={classes.image}>{worker.image || t('new.platformImage')}</dd>
        {pending && (
          <>
            <dt>{t('appliedSize')}</dt>
            <dd>{pending}</dd>
          </>
        )}
        <dt>{t('created')}</dt>
        <dd>{format.date(worker.created_at)}</dd>
      </dl>
    </Card>
  );
}
