import { Card, SimpleGrid, Skeleton, Stack, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Capabilities, Isolation } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { useReason } from '@/status/reason';
import { Pill, ToneDot } from '@/status/StateBadge';
import { botTone, workerTone } from '@/status/tone';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { byWorst } from './health';
import plans from './PlansPage.module.css';
import classes from './PlatformPage.module.css';
import { type Health, healthQuery } from './queries';

/** Warnings whose own words, which come in English, hold more than the code says: versions, addresses. */
const particular: ReadonlySet<string> = new Set(['runtime_outdated', 'host_reachable']);

const levels: Isolation[] = ['container', 'sandbox', 'vm'];

/** How every part of the platform is, what it can do and what it warns of. */
export function PlatformPage() {
  const { t } = useTranslation('operator');
  const health = useQuery(healthQuery);
  const failure = failureOf(health);
  return (
    <>
      <PageHeader title={t('health.title')} text={t('health.text')} />
      {failure ? (
        <ErrorPanel error={failure} retry={() => void health.refetch()} />
      ) : !health.data ? (
        <Skeleton h={260} radius="lg" />
      ) : (
        <>
          <Notices health={health.data} />
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="lg" mb="lg">
            <DatabaseCard database={health.data.database} />
            <ControlPlaneCard plane={health.data.control_plane} />
            <AgentsCard census={health.data.census} />
          </SimpleGrid>
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <CensusCard census={health.data.census} />
            <Stack gap="lg">
              <EngineCard engine={health.data.engine} />
              {health.data.engine.capabilities && <IsolationCard capabilities={health.data.engine.capabilities} />}
            </Stack>
          </SimpleGrid>
        </>
      )}
    </>
  );
}

/** What the operator has to know first. */
function Notices({ health }: { health: Health }) {
  const { t } = useTranslation('operator');
  const unreachable = health.census?.agents.unreachable ?? 0;
  const warnings = health.engine.capabilities?.warnings ?? [];
  const well = health.database.answers && health.engine.answers && unreachable === 0 && warnings.length === 0;
  if (well) {
    return (
      <div className={classes.well} role="status">
        <IconCircleCheck size={18} stroke={1.8} aria-hidden />
        <span>{t('health.well')}</span>
      </div>
    );
  }
  return (
    <>
      {!health.database.answers && <Notice>{t('health.databaseAway')}</Notice>}
      {!health.engine.answers && <Notice>{t('health.engineAway')}</Notice>}
      {unreachable > 0 && <Notice>{t('health.agentsAway', { count: unreachable })}</Notice>}
      {warnings.map((warning) => (
        <Notice key={warning.code}>
          {t(`health.warnings.${warning.code}`)}
          {particular.has(warning.code) && (
            <span className={classes.particular} lang="en">
              {warning.message}
            </span>
          )}
        </Notice>
      ))}
    </>
  );
}

function Notice({ children }: { children: ReactNode }) {
  return (
    <div className={classes.warning} role="alert">
      <IconAlertTriangle size={18} stroke={1.8} aria-hidden />
      <div>{children}</div>
    </div>
  );
}

interface PartProps {
  id: string;
  title: string;
  pill?: ReactNode;
  children: ReactNode;
}

function Part({ id, title, pill, children }: PartProps) {
  return (
    <Card component="section" aria-labelledby={id}>
      <div className={classes.head}>
        <Title order={2} id={id}>
          {title}
        </Title>
        {pill}
      </div>
      {children}
    </Card>
  );
}

function Answers({ answers }: { answers: boolean }) {
  const { t } = useTranslation('operator');
  return <Pill tone={answers ? 'ok' : 'bad'} label={answers ? t('health.answers') : t('health.silent')} />;
}

function DatabaseCard({ database }: { database: Health['database'] }) {
  const { t } = useTranslation('operator');
  const format = useFormat();
  const { details } = database;
  return (
    <Part id="database" title={t('health.database')} pill={<Answers answers={database.answers} />}>
      {details && (
        <dl className={plans.facts}>
          <dt>{t('health.kind')}</dt>
          <dd>{t(`health.databases.${details.kind}`)}</dd>
          <dt>{t('health.version')}</dt>
          <dd>{details.version}</dd>
          <dt>{t('health.latency')}</dt>
          <dd>
            {t('health.milliseconds', { value: format.number(database.latency_ms, { maximumSignificantDigits: 2 }) })}
          </dd>
          <dt>{t('health.size')}</dt>
          <dd>{format.bytes(details.size_bytes)}</dd>
        </dl>
      )}
    </Part>
  );
}

function ControlPlaneCard({ plane }: { plane: Health['control_plane'] }) {
  const { t } = useTranslation('operator');
  return (
    <Part id="plane" title={t('health.plane')}>
      <dl className={plans.facts}>
        <dt>{t('health.version')}</dt>
        <dd>{plane.version || '–'}</dd>
        <dt>{t('health.started')}</dt>
        <dd>
          <RelativeTime time={plane.started_at} />
        </dd>
      </dl>
    </Part>
  );
}

function AgentsCard({ census }: { census: Health['census'] }) {
  const { t } = useTranslation('operator');
  const format = useFormat();
  return (
    <Part id="agents" title={t('health.agents')}>
      {census ? (
        <dl className={plans.facts}>
          <dt>{t('health.expected')}</dt>
          <dd>{format.number(census.agents.expected)}</dd>
          <dt>{t('health.connected')}</dt>
          <dd>{format.number(census.agents.connected)}</dd>
          <dt>{t('health.unreachable')}</dt>
          <dd>{format.number(census.agents.unreachable)}</dd>
        </dl>
      ) : (
        t('health.unknown')
      )}
    </Part>
  );
}

/** What all companies have, by state. */
function CensusCard({ census }: { census: Health['census'] }) {
  const { t } = useTranslation(['operator', 'status', 'tenants']);
  const format = useFormat();
  return (
    <Part id="census" title={t('health.census')}>
      {census ? (
        <>
          <p className={classes.line}>
            {t('health.companies', { count: census.tenants })}
            {census.suspended > 0 && ` · ${t('health.suspended', { count: census.suspended })}`}
          </p>
          <h3 className={classes.sub}>{t('tenants:resource.workers')}</h3>
          <ul className={classes.states}>
            {byWorst(census.workers, workerTone).map(([state, n]) => (
              <li key={state}>
                <ToneDot tone={workerTone[state]} />
                <span>{t(`status:worker.${state}`)}</span>
                <strong>{format.number(n)}</strong>
              </li>
            ))}
          </ul>
          <h3 className={classes.sub}>{t('tenants:resource.bots')}</h3>
          <ul className={classes.states}>
            {byWorst(census.bots, botTone).map(([state, n]) => (
              <li key={state}>
                <ToneDot tone={botTone[state]} />
                <span>{t(`status:bot.${state}`)}</span>
                <strong>{format.number(n)}</strong>
              </li>
            ))}
          </ul>
        </>
      ) : (
        t('health.unknown')
      )}
    </Part>
  );
}

function EngineCard({ engine }: { engine: Health['engine'] }) {
  const { t } = useTranslation('operator');
  const data = engine.capabilities;
  return (
    <Part id="engine" title={t('health.engine')} pill={<Answers answers={engine.answers} />}>
      {data && (
        <dl className={plans.facts}>
          <dt>{t('health.kind')}</dt>
          <dd>{t(`health.engines.${data.engine}`)}</dd>
          <dt>{t('health.version')}</dt>
          <dd>{data.version || '–'}</dd>
          <dt>{t('health.resize')}</dt>
          <dd>{data.live_resize ? t('health.yes') : t('health.restart')}</dd>
          <dt>{t('health.disk')}</dt>
          <dd>{t(`health.disks.${data.disk_limit}`)}</dd>
          <dt>{t('health.images')}</dt>
          <dd>{data.images ? t('health.yes') : t('health.no')}</dd>
        </dl>
      )}
    </Part>
  );
}

function IsolationCard({ capabilities }: { capabilities: Capabilities }) {
  const { t } = useTranslation(['operator', 'workers']);
  const say = useReason();
  return (
    <Part id="isolation" title={t('health.isolation')}>
      <ul className={classes.levels}>
        {levels.map((level) => {
          const by = capabilities.isolation[level];
          const why = capabilities.missing?.[level];
          return (
            <li key={level}>
              <div>
                <strong>{t(`workers:isolation.${level}.name`)}</strong>
                <span>{by ?? (why ? say(why) : t('workers:isolation.noReason'))}</span>
              </div>
              <Pill tone={by ? 'ok' : 'off'} label={by ? t('health.available') : t('health.unavailable')} />
            </li>
          );
        })}
      </ul>
    </Part>
  );
}
