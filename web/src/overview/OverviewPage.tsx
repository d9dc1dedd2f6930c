import { Card, Skeleton, Title } from '@mantine/core';
import { IconArrowRight, IconCircleCheck, IconPlus, IconRobot, IconServer2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, Suspense, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, TenantTotals, Worker } from '@/api/resources';
import { useBots } from '@/bots/queries';
import { EventList, EventListSkeleton } from '@/events/EventList';
import { latestEventsQuery } from '@/events/queries';
import { useFormat } from '@/i18n/format';
import { useReason } from '@/status/reason';
import { BotStateBadge, WorkerStateBadge } from '@/status/StateBadge';
import { botTone, workerTone } from '@/status/tone';
import { usePermissions, useTenantSlug, useTotals } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { lazyPart } from '@/ui/lazyPart';
import { AnchorLink, ButtonLink } from '@/ui/links';
import { Meter } from '@/ui/Meter';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { type CurrentUse, currentUseQuery } from '@/usage/current';
import { usageQuery } from '@/usage/queries';
import { useWorkers } from '@/workers/queries';
import { useScoped, useWorkerScope } from '@/workers/scope';
import { type Attention, attentionOf, nearLimits } from './attention';
import classes from './OverviewPage.module.css';

const UsageCharts = lazyPart(() => import('@/usage/UsageCharts'));
const shownAttention = 8;
const none = new Map<string, CurrentUse>();

/** What runs, what needs a person, what is left of the plan, what happened last. */
export function OverviewPage() {
  const { t } = useTranslation('overview');
  const tenant = useTenantSlug();
  const may = usePermissions();
  const workersRead = useWorkers();
  const botsRead = useBots();
  const { workers, bots } = useScoped(workersRead.data, botsRead.data);
  const { data: use = none } = useQuery(currentUseQuery(tenant));
  const attention = useMemo(() => attentionOf(workers, bots), [workers, bots]);
  const near = useMemo(() => nearLimits(workers, use), [workers, use]);
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
  const loading = workersRead.isPending || botsRead.isPending;
  const isNew = !loading && workersRead.data?.length === 0;

  return (
    <>
      <PageHeader
        title={t('title')}
        text={t('text')}
        actions={
          may.createWorkers &&
          !isNew && (
            <ButtonLink
              to="/t/$tenant/workers/new"
              params={{ tenant }}
              variant="default"
              leftSection={<IconPlus size={16} />}
            >
              {t('newWorker')}
            </ButtonLink>
          )
        }
      />
      {isNew ? (
        <Card>
          <EmptyState
            icon={IconServer2}
            title={t('first.title')}
            text={may.createWorkers ? t('first.text') : t('first.textLimited')}
            action={
              may.createWorkers && (
                <ButtonLink to="/t/$tenant/workers/new" params={{ tenant }} leftSection={<IconPlus size={16} />}>
                  {t('first.action')}
                </ButtonLink>
              )
            }
          />
        </Card>
      ) : (
        <div className={classes.grid}>
          <div className={classes.main}>
            <Summary workers={workers} bots={bots} attention={attention.length + near.length} loading={loading} />
            <NeedsAttention attention={attention} near={near} loading={loading} />
            <DayUsage workers={workers} bots={bots} />
          </div>
          <div className={classes.side}>
            {!may.limited && <Capacity />}
            <Latest />
          </div>
        </div>
      )}
    </>
  );
}

interface SummaryProps {
  workers: Worker[];
  bots: Bot[];
  attention: number;
  loading: boolean;
}

function Summary({ workers, bots, attention, loading }: SummaryProps) {
  const { t } = useTranslation('overview');
  const tenant = useTenantSlug();
  const format = useFormat();
  const up = workers.filter((w) => ['ok', 'warn'].includes(workerTone[w.status.state])).length;
  const running = bots.filter((b) => botTone[b.status.state] === 'ok').length;
  const figure = (n: number, of?: number) =>
    loading ? (
      <Skeleton h={28} w={64} />
    ) : (
      <>
        {format.number(n)}
        {of !== undefined && <span className={classes.of}> {t('of', { total: format.number(of) })}</span>}
      </>
    );
  return (
    <section className={classes.summary} aria-label={t('summary')}>
      <Link to="/t/$tenant/workers" params={{ tenant }} className={classes.figure}>
        <span className={classes.figureLabel}>
          <IconServer2 size={16} stroke={1.7} aria-hidden />
          {t('workersUp')}
        </span>
        <span className={`${classes.number} numeric`}>{figure(up, workers.length)}</span>
      </Link>
      <Link to="/t/$tenant/bots" params={{ tenant }} className={classes.figure}>
        <span className={classes.figureLabel}>
          <IconRobot size={16} stroke={1.7} aria-hidden />
          {t('botsUp')}
        </span>
        <span className={`${classes.number} numeric`}>{figure(running, bots.length)}</span>
      </Link>
      <div className={classes.figure} data-tone={attention > 0 ? 'bad' : undefined}>
        <span className={classes.figureLabel}>
          <IconCircleCheck size={16} stroke={1.7} aria-hidden />
          {t('attention.title')}
        </span>
        <span className={`${classes.number} numeric`}>{figure(attention)}</span>
      </div>
    </section>
  );
}

interface AttentionProps {
  attention: Attention[];
  near: ReturnType<typeof nearLimits>;
  loading: boolean;
}

function NeedsAttention({ attention, near, loading }: AttentionProps) {
  const { t } = useTranslation('overview');
  const say = useReason();
  const format = useFormat();
  const tenant = useTenantSlug();
  if (loading) return <Skeleton h={120} radius="lg" />;
  if (attention.length + near.length === 0) {
    return (
      <Card className={classes.allWell}>
        <IconCircleCheck size={22} stroke={1.7} aria-hidden />
        <div>
          <strong>{t('attention.none')}</strong>
          <span>{t('attention.noneText')}</span>
        </div>
      </Card>
    );
  }
  return (
    <Card component="section" padding={0} aria-labelledby="attention">
      <Title order={2} id="attention" className={classes.cardTitle}>
        {t('attention.title')}
      </Title>
      <ul className={classes.rows}>
        {attention.slice(0, shownAttention).map((item) => (
          <li key={item.id} className={classes.row}>
            <div className={classes.words}>
              {item.worker ? (
                <Link to="/t/$tenant/workers/$workerId" params={{ tenant, workerId: item.id }} className={classes.name}>
                  {item.name}
                </Link>
              ) : (
                <Link to="/t/$tenant/bots/$botId" params={{ tenant, botId: item.id }} className={classes.name}>
                  {item.name}
                </Link>
              )}
              <span className={classes.about}>
                {say(item.worker?.status.reason ?? item.bot?.status.reason ?? '')} · <RelativeTime time={item.since} />
              </span>
            </div>
            {item.worker && <WorkerStateBadge state={item.worker.status.state} />}
            {item.bot && <BotStateBadge state={item.bot.status.state} />}
          </li>
        ))}
        {near.map(({ worker, resource, share }) => (
          <li key={`${worker.id}-${resource}`} className={classes.row}>
            <div className={classes.words}>
              <Link
                to="/t/$tenant/workers/$workerId"
                params={{ tenant, workerId: worker.id }}
                search={{ tab: 'usage' }}
                className={classes.name}
              >
                {worker.name}
              </Link>
              <span className={classes.about}>{t(`near.${resource}`, { share: format.percent(share) })}</span>
            </div>
          </li>
        ))}
      </ul>
      {attention.length > shownAttention && (
        <div className={classes.more}>
          <Link to="/t/$tenant/workers" params={{ tenant }} search={{ state: 'attention' }}>
            {t('attention.more', { count: attention.length - shownAttention })}
          </Link>
        </div>
      )}
    </Card>
  );
}

function Capacity() {
  const { t } = useTranslation(['overview', 'tenants']);
  const format = useFormat();
  const { data, error, refetch } = useTotals();
  const failure = failureOf({ data, error });
  return (
    <Card component="section" aria-labelledby="capacity">
      <div className={classes.headIn}>
        <Title order={2} id="capacity">
          {t('capacity')}
        </Title>
        {data && <span className={classes.plan}>{data.plan}</span>}
      </div>
      {failure ? (
        <ErrorPanel error={failure} retry={() => void refetch()} />
      ) : (
        <CapacityMeters data={data} format={format} />
      )}
    </Card>
  );
}

function CapacityMeters({ data, format }: { data: TenantTotals | undefined; format: ReturnType<typeof useFormat> }) {
  const { t } = useTranslation(['overview', 'tenants', 'ui']);
  if (!data) return <Skeleton h={180} />;
  const { totals, limits } = data;
  const meter = (label: string, value: number, limit: number, say: (n: number) => string, sayUsed = say): ReactNode => (
    <Meter
      label={label}
      name={label}
      value={value}
      limit={limit}
      text={t('ui:of', { value: sayUsed(value), limit: say(limit) })}
    />
  );
  return (
    <div className={classes.meters}>
      {meter(t('tenants:resource.workers'), totals.workers, limits.workers, format.number)}
      {meter(t('tenants:resource.bots'), totals.bots, limits.bots, format.number)}
      {meter(t('tenants:resource.cpu'), totals.cpu_millis, limits.cpu_millis, format.cpu, format.cores)}
      {meter(t('tenants:resource.memory'), totals.memory_mib, limits.memory_mib, format.memory)}
      {meter(t('tenants:resource.disk'), totals.disk_gib, limits.disk_gib, format.disk)}
    </div>
  );
}

function Latest() {
  const { t } = useTranslation('overview');
  const tenant = useTenantSlug();
  const worker = useWorkerScope();
  const events = useQuery(latestEventsQuery(tenant, { worker }, 10));
  return (
    <Card component="section" aria-labelledby="latest">
      <div className={classes.headIn}>
        <Title order={2} id="latest">
          {t('latest')}
        </Title>
        <AnchorLink to="/t/$tenant/activity" params={{ tenant }} size="sm">
          {t('all')} <IconArrowRight size={14} style={{ verticalAlign: -2 }} aria-hidden />
        </AnchorLink>
      </div>
      {failureOf(events) ? (
        <ErrorPanel error={events.error} retry={() => void events.refetch()} />
      ) : events.data ? (
        <EventList events={events.data} />
      ) : (
        <EventListSkeleton />
      )}
    </Card>
  );
}

function DayUsage({ workers, bots }: { workers: Worker[]; bots: Bot[] }) {
  const { t } = useTranslation('overview');
  const tenant = useTenantSlug();
  const scope = useWorkerScope();
  const { data } = useQuery(usageQuery(tenant, { workers: scope ? [scope] : undefined }, 'day'));
  const size = useMemo(
    () =>
      workers.reduce(
        (sum, w) => ({
          cpu_millis: sum.cpu_millis + w.size.cpu_millis,
          memory_mib: sum.memory_mib + w.size.memory_mib,
          disk_gib: sum.disk_gib + w.size.disk_gib,
        }),
        { cpu_millis: 0, memory_mib: 0, disk_gib: 0 },
      ),
    [workers],
  );
  if (!data || data.points.length === 0) return null;
  return (
    <section aria-labelledby="day">
      <Title order={2} id="day" mb="sm">
        {t('day')}
      </Title>
      <Suspense fallback={<Skeleton h={236} radius="lg" />}>
        <UsageCharts span="day" whole={data} size={size} bots={bots} only={['cpu', 'memory']} height={150} />
      </Suspense>
    </section>
  );
}
