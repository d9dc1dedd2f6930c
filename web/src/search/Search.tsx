import '@mantine/spotlight/styles.css';

import { VisuallyHidden } from '@mantine/core';
import { Spotlight, type SpotlightActionData, type SpotlightActionGroupData, spotlight } from '@mantine/spotlight';
import {
  IconActivity,
  IconApi,
  IconArrowsExchange,
  IconKey,
  IconLayoutDashboard,
  IconPlus,
  IconRobot,
  IconSearch,
  IconServer2,
  IconUserCircle,
  IconUsersGroup,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useBots } from '@/bots/queries';
import { useMe } from '@/session/queries';
import { ToneDot } from '@/status/StateBadge';
import { botTone, workerTone } from '@/status/tone';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { useWorkers } from '@/workers/queries';
import { matcher } from './match';

const perGroup = 7;

/** Goes to any Worker, bot, page, action or company by name (Ctrl K). */
export default function Search({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['search', 'app', 'status']);
  const navigate = useNavigate();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const me = useMe();
  const { data: workers } = useWorkers();
  const { data: bots } = useBots();
  const [query, setQuery] = useState('');
  useEffect(() => {
    if (!opened) return;
    setQuery('');
    spotlight.open();
  }, [opened]);

  const actions = useMemo(() => {
    const params = { tenant };
    const matches = matcher(query);
    const icon = { size: 18, stroke: 1.6 };
    const group = (name: string, all: SpotlightActionData[]): SpotlightActionGroupData => ({
      group: name,
      actions: all.filter((a) => matches(`${a.label} ${a.keywords ?? ''}`)).slice(0, perGroup),
    });
    const workerNames = new Map((workers ?? []).map((w) => [w.id, w.name]));
    const lists: SpotlightActionGroupData[] = [
      group(t('pages'), [
        { id: 'overview', label: t('app:nav.overview'), leftSection: <IconLayoutDashboard {...icon} />, onClick: () => navigate({ to: '/t/$tenant', params }) },
        { id: 'workers', label: t('app:nav.workers'), leftSection: <IconServer2 {...icon} />, onClick: () => navigate({ to: '/t/$tenant/workers', params }) },
        { id: 'bots', label: t('app:nav.bots'), leftSection: <IconRobot {...icon} />, onClick: () => navigate({ to: '/t/$tenant/bots', params }) },
        { id: 'activity', label: t('app:nav.activity'), leftSection: <IconActivity {...icon} />, onClick: () => navigate({ to: '/t/$tenant/activity', params }) },
        ...(may.seeMembers
          ? [{ id: 'team', label: t('app:nav.team'), leftSection: <IconUsersGroup {...icon} />, onClick: () => navigate({ to: '/t/$tenant/team', params }) }]
          : []),
        { id: 'secrets', label: t('app:nav.secrets'), leftSection: <IconKey {...icon} />, onClick: () => navigate({ to: '/t/$tenant/secrets', params }) },
        ...(may.ownTokens
          ? [{ id: 'tokens', label: t('app:nav.tokens'), leftSection: <IconApi {...icon} />, onClick: () => navigate({ to: '/t/$tenant/tokens', params }) }]
          : []),
        { id: 'account', label: t('app:account'), leftSection: <IconUserCircle {...icon} />, onClick: () => navigate({ to: '/account' }) },
      ]),
      group(t('actions'), [
        ...(may.createWorkers
          ? [{ id: 'new-worker', label: t('newWorker'), leftSection: <IconPlus {...icon} />, onClick: () => navigate({ to: '/t/$tenant/workers/new', params }) }]
          : []),
        ...(may.changeBots
          ? [{ id: 'new-bot', label: t('newBot'), leftSection: <IconPlus {...icon} />, onClick: () => navigate({ to: '/t/$tenant/bots/new', params }) }]
          : []),
      ]),
      group(
        t('app:nav.workers'),
        (workers ?? []).map((w) => ({
          id: w.id,
          label: w.name,
          description: t(`status:worker.${w.status.state}`),
          keywords: w.id,
          leftSection: <ToneDot tone={workerTone[w.status.state]} />,
          onClick: () => navigate({ to: '/t/$tenant/workers/$workerId', params: { tenant, workerId: w.id } }),
        })),
      ),
      group(
        t('app:nav.bots'),
        (bots ?? []).map((b) => ({
          id: b.id,
          label: b.name,
          description: [workerNames.get(b.worker_id), t(`status:bot.${b.status.state}`)].filter(Boolean).join(' · '),
          keywords: b.id,
          leftSection: <ToneDot tone={botTone[b.status.state]} />,
          onClick: () => navigate({ to: '/t/$tenant/bots/$botId', params: { tenant, botId: b.id } }),
        })),
      ),
      group(
        t('companies'),
        me.tenants
          .filter((m) => m.tenant.slug !== tenant)
          .map((m) => ({
            id: m.tenant.id,
            label: m.tenant.name,
            leftSection: <IconArrowsExchange {...icon} />,
            onClick: () => navigate({ to: '/t/$tenant', params: { tenant: m.tenant.slug }, search: { worker: undefined } }),
          })),
      ),
    ];
    return lists.filter((g) => g.actions.length > 0);
  }, [query, workers, bots, me, may.seeMembers, may.createWorkers, may.changeBots, may.ownTokens, tenant, navigate, t]);

  return (
    <Spotlight
      actions={actions}
      onSpotlightClose={onClose}
      query={query}
      onQueryChange={setQuery}
      filter={(_, all) => all}
      title={<VisuallyHidden>{t('app:search')}</VisuallyHidden>}
      styles={{ header: { minHeight: 0, padding: 0 } }}
      overlayProps={{ blur: 1, backgroundOpacity: 0.45 }}
      shortcut={null}
      nothingFound={t('nothing')}
      highlightQuery
      scrollable
      maxHeight={440}
      size={600}
      radius="lg"
      searchProps={{ placeholder: t('placeholder'), 'aria-label': t('placeholder'), leftSection: <IconSearch size={18} stroke={1.7} /> }}
    />
  );
} // biome-ignore format: one action a line
