import { Button, Menu, Skeleton, Stack, Tabs } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconArrowLeft,
  IconArrowsExchange,
  IconCopy,
  IconDots,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconRobotOff,
  IconTrash,
} from '@tabler/icons-react';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, Worker } from '@/api/resources';
import { useMoving } from '@/moves/MovesProvider';
import { useReason } from '@/status/reason';
import { BotStateBadge } from '@/status/StateBadge';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf, InlineError } from '@/ui/errors';
import { lazyPart } from '@/ui/lazyPart';
import { AnchorLink, ButtonLink } from '@/ui/links';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { useWorkers } from '@/workers/queries';
import classes from './BotPage.module.css';
import { DeleteBot } from './DeleteBot';
import { DuplicateBot } from './DuplicateBot';
import { type BotAction, useBot, useBotAction } from './queries';
import { type BotTab, tabsOf } from './tabs';

const panels = {
  overview: lazyPart(() => import('./BotOverview')),
  persona: lazyPart(() => import('./PersonaPanel')),
  channels: lazyPart(() => import('./ChannelsPanel')),
  program: lazyPart(() => import('./ProgramPanel')),
  logs: lazyPart(() => import('./LogsPanel')),
  usage: lazyPart(() => import('./BotUsage')),
  settings: lazyPart(() => import('./BotSettings')),
};

const route = getRouteApi('/signed-in/t/$tenant/bots/$botId');

export function BotPage() {
  const { t } = useTranslation('bots');
  const { botId, tenant } = route.useParams();
  const { data: bot, error, refetch, isPending } = useBot(botId);
  const workers = useWorkers();
  const failed = failureOf({ data: bot, error }, workers);
  if (failed)
    return (
      <ErrorPanel
        error={failed}
        retry={() => {
          void refetch();
          void workers.refetch();
        }}
      />
    );
  if (isPending || !workers.data) {
    return (
      <Stack gap="lg">
        <Skeleton h={64} maw={360} />
        <Skeleton h={320} radius="lg" />
      </Stack>
    );
  }
  if (!bot) {
    return (
      <EmptyState
        page
        icon={IconRobotOff}
        title={t('gone.title')}
        text={t('gone.text')}
        action={
          <ButtonLink to="/t/$tenant/bots" params={{ tenant }} variant="default">
            {t('title')}
          </ButtonLink>
        }
      />
    );
  }
  return <BotView key={bot.id} bot={bot} worker={workers.data.find((w) => w.id === bot.worker_id)} />;
}

function BotView({ bot, worker }: { bot: Bot; worker: Worker | undefined }) {
  const { t } = useTranslation(['bots', 'workers', 'ui']);
  const say = useReason();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const search = route.useSearch();
  const tabs = tabsOf[bot.kind];
  const tab = tabs.find((each) => each === search.tab) ?? 'overview';
  const navigate = useNavigate({ from: '/t/$tenant/bots/$botId' });
  const [asking, setAsking] = useState<'delete' | 'duplicate' | null>(null);
  const { status } = bot;
  const Panel = panels[tab];

  return (
    <>
      <PageHeader
        title={bot.name}
        back={
          <AnchorLink to="/t/$tenant/bots" params={{ tenant }} className={classes.back}>
            <IconArrowLeft size={15} aria-hidden />
            {t('title')}
          </AnchorLink>
        }
        heading={
          <span className={classes.heading}>
            {bot.name}
            <BotStateBadge state={status.state} />
          </span>
        }
        text={
          <>
            {t(`kinds.${bot.kind}`)} {t('in')}{' '}
            <Link
              to="/t/$tenant/workers/$workerId"
              params={{ tenant, workerId: bot.worker_id }}
              className={classes.worker}
            >
              {worker?.name ?? t('aWorker')}
            </Link>{' '}
            · {say(status.reason)} · <RelativeTime time={status.since} />
            {status.next_retry_at && (status.state === 'backoff' || status.state === 'crash_loop') && (
              <>
                {' · '}
                {t('nextTry')} <RelativeTime time={status.next_retry_at} />
              </>
            )}
          </>
        }
        actions={
          may.changeBots && (
            <Actions bot={bot} onDelete={() => setAsking('delete')} onDuplicate={() => setAsking('duplicate')} />
          )
        }
      />
      <Tabs
        value={tab}
        onChange={(next) =>
          void navigate({
            search: (s) => ({
              ...s,
              created: undefined,
              tab: next === 'overview' ? undefined : ((next as BotTab | null) ?? undefined),
            }),
          })
        }
      >
        <div className={classes.tabsFrame}>
          <Tabs.List className={classes.tabs}>
            {tabs.map((each) => (
              <Tabs.Tab key={each} value={each}>
                {t(`tab.${each}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </div>
        {tabs.map((each) => (
          <Tabs.Panel key={each} value={each}>
            <Suspense fallback={<Skeleton h={320} radius="lg" />}>
              {each === tab && <Panel bot={bot} worker={worker} onDelete={() => setAsking('delete')} />}
            </Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
      {asking === 'delete' && <DeleteBot bot={bot} onClose={() => setAsking(null)} />}
      {asking === 'duplicate' && <DuplicateBot bot={bot} onClose={() => setAsking(null)} />}
    </>
  );
}

export interface PanelProps {
  bot: Bot;
  worker: Worker | undefined;
  onDelete: () => void;
}

function Actions({ bot, onDelete, onDuplicate }: { bot: Bot; onDelete: () => void; onDuplicate: () => void }) {
  const { t } = useTranslation(['bots', 'workers', 'ui']);
  const action = useBotAction();
  const { choose } = useMoving();
  const may = usePermissions();
  const moving = Boolean(bot.move_id);
  const run = (what: BotAction) =>
    action.mutate(
      { id: bot.id, action: what },
      {
        onSuccess: () => notifications.show({ message: t(`action.${what}Asked`, { name: bot.name }) }),
        onError: (error) =>
          notifications.show({ color: 'red', autoClose: 8000, message: <InlineError error={error} /> }),
      },
    );
  const busy = (what: BotAction) => action.isPending && action.variables.action === what;
  const over = bot.status.state === 'completed';
  return (
    <>
      {bot.desired === 'stopped' ? (
        <Button
          leftSection={<IconPlayerPlay size={16} />}
          disabled={moving}
          loading={busy('start')}
          onClick={() => run('start')}
        >
          {t('action.start')}
        </Button>
      ) : (
        <>
          <Button
            variant="default"
            leftSection={over ? <IconPlayerPlay size={16} /> : <IconRefresh size={16} />}
            disabled={moving}
            loading={busy('restart')}
            onClick={() => run('restart')}
          >
            {over ? t('action.again') : t('action.restart')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} />}
            disabled={moving}
            loading={busy('stop')}
            onClick={() => run('stop')}
          >
            {t('action.stop')}
          </Button>
        </>
      )}
      <Menu position="bottom-end" width={230}>
        <Menu.Target>
          <Button variant="default" px={9} aria-label={t('ui:more')}>
            <IconDots size={18} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconArrowsExchange size={16} />} disabled={moving} onClick={() => choose(bot)}>
            {t('workers:board.moveBot')}
          </Menu.Item>
          <Menu.Item leftSection={<IconCopy size={16} />} onClick={onDuplicate}>
            {t('action.duplicate')}
          </Menu.Item>
          {may.deleteBots && (
            <>
              <Menu.Divider />
              <Menu.Item c="var(--bad)" leftSection={<IconTrash size={16} />} onClick={onDelete}>
                {t('action.delete')}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
