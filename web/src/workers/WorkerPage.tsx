import { Button, Menu, Skeleton, Stack, Tabs } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowLeft, IconDots, IconPlayerPlay, IconPlayerStop, IconRefresh, IconTrash } from '@tabler/icons-react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Worker } from '@/api/resources';
import { useBotsByWorker } from '@/bots/queries';
import { WorkerEvents } from '@/events/WorkerEvents';
import { useReason } from '@/status/reason';
import { WorkerStateBadge } from '@/status/StateBadge';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf, InlineError } from '@/ui/errors';
import { AnchorLink, ButtonLink } from '@/ui/links';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { UsagePanel } from '@/usage/UsagePanel';
import { DeleteWorker } from './DeleteWorker';
import { Provisioning } from './Provisioning';
import { useWorker, useWorkerAction, type WorkerAction } from './queries';
import { type WorkerTab, workerTabs } from './tabs';
import { WorkerOverview } from './WorkerOverview';
import classes from './WorkerPage.module.css';
import { WorkerSettings } from './WorkerSettings';

const route = getRouteApi('/signed-in/t/$tenant/workers/$workerId');

export function WorkerPage() {
  const { t } = useTranslation('workers');
  const { workerId, tenant } = route.useParams();
  const { data: worker, error, refetch, isPending } = useWorker(workerId);
  if (failureOf({ data: worker, error })) return <ErrorPanel error={error} retry={() => void refetch()} />;
  if (isPending) {
    return (
      <Stack gap="lg">
        <Skeleton h={64} w={360} />
        <Skeleton h={320} radius="lg" />
      </Stack>
    );
  }
  if (!worker) {
    return (
      <EmptyState
        page
        icon={IconTrash}
        title={t('gone.title')}
        text={t('gone.text')}
        action={
          <ButtonLink to="/t/$tenant/workers" params={{ tenant }} variant="default">
            {t('title')}
          </ButtonLink>
        }
      />
    );
  }
  return <WorkerView key={worker.id} worker={worker} />;
}

function WorkerView({ worker }: { worker: Worker }) {
  const { t } = useTranslation('workers');
  const say = useReason();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const { tab = 'overview' } = route.useSearch();
  const navigate = useNavigate({ from: '/t/$tenant/workers/$workerId' });
  const bots = useBotsByWorker().get(worker.id) ?? [];
  const [deleting, setDeleting] = useState(false);
  const { status } = worker;

  return (
    <>
      <PageHeader
        title={worker.name}
        back={
          <AnchorLink to="/t/$tenant/workers" params={{ tenant }} className={classes.back}>
            <IconArrowLeft size={15} aria-hidden />
            {t('title')}
          </AnchorLink>
        }
        heading={
          <span className={classes.heading}>
            {worker.name}
            <WorkerStateBadge state={status.state} />
          </span>
        }
        text={
          <>
            {say(status.reason)} · <RelativeTime time={status.since} />
            {status.next_retry_at && status.state === 'failed' && (
              <>
                {' · '}
                {t('nextTry')} <RelativeTime time={status.next_retry_at} />
              </>
            )}
          </>
        }
        actions={
          may.controlWorkers && (
            <Actions worker={worker} canDelete={may.changeWorkers} onDelete={() => setDeleting(true)} />
          )
        }
      />
      <Provisioning worker={worker} />
      <Tabs
        value={tab}
        onChange={(next) =>
          void navigate({
            search: (s) => ({ ...s, tab: next === 'overview' ? undefined : ((next as WorkerTab | null) ?? undefined) }),
            replace: true,
          })
        }
      >
        <Tabs.List mb="lg" className={classes.tabs}>
          {workerTabs.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`tab.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <WorkerOverview worker={worker} bots={bots} />
        </Tabs.Panel>
        <Tabs.Panel value="usage">
          <UsagePanel worker={worker.id} size={worker.size} bots={bots} />
        </Tabs.Panel>
        <Tabs.Panel value="events">
          <WorkerEvents worker={worker.id} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <WorkerSettings worker={worker} onDelete={() => setDeleting(true)} />
        </Tabs.Panel>
      </Tabs>
      {deleting && <DeleteWorker worker={worker} bots={bots} onClose={() => setDeleting(false)} />}
    </>
  );
}

function Actions({ worker, canDelete, onDelete }: { worker: Worker; canDelete: boolean; onDelete: () => void }) {
  const { t } = useTranslation(['workers', 'ui']);
  const action = useWorkerAction();
  const stopped = worker.desired === 'stopped';
  const gone = worker.desired === 'deleted';
  const run = (what: WorkerAction) =>
    action.mutate(
      { id: worker.id, action: what },
      {
        onSuccess: () => notifications.show({ message: t(`action.${what}Asked`, { name: worker.name }) }),
        onError: (error) =>
          notifications.show({ color: 'red', autoClose: 8000, message: <InlineError error={error} /> }),
      },
    );
  const busy = (what: WorkerAction) => action.isPending && action.variables.action === what;
  return (
    <>
      {stopped ? (
        <Button
          leftSection={<IconPlayerPlay size={16} />}
          disabled={gone}
          loading={busy('start')}
          onClick={() => run('start')}
        >
          {t('action.start')}
        </Button>
      ) : (
        <>
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} />}
            disabled={gone}
            loading={busy('restart')}
            onClick={() => run('restart')}
          >
            {t('action.restart')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} />}
            disabled={gone}
            loading={busy('stop')}
            onClick={() => run('stop')}
          >
            {t('action.stop')}
          </Button>
        </>
      )}
      {canDelete && (
        <Menu position="bottom-end" width={200}>
          <Menu.Target>
            <Button variant="default" px={9} aria-label={t('ui:more')}>
              <IconDots size={18} aria-hidden />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item c="var(--bad)" leftSection={<IconTrash size={16} />} disabled={gone} onClick={onDelete}>
              {t('action.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
