import { ActionIcon, Kbd, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import {
  IconActivity,
  IconApi,
  IconKey,
  IconLayoutDashboard,
  IconRobot,
  IconSearch,
  IconServer2,
  IconUsersGroup,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import { useBots } from '@/bots/queries';
import { MovesProvider } from '@/moves/MovesProvider';
import { attentionOf } from '@/overview/attention';
import { SupportBanner } from '@/support/SupportBanner';
import { NoEntry } from '@/tenants/NoEntry';
import { PlanFoot } from '@/tenants/PlanFoot';
import { tenantQuery, usePermissions, useTenantSlug } from '@/tenants/queries';
import { TenantSwitcher } from '@/tenants/TenantSwitcher';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { lazyPart } from '@/ui/lazyPart';
import { useEver } from '@/ui/useEver';
import { useWorkers } from '@/workers/queries';
import { WorkerSelector } from '@/workers/WorkerSelector';
import { Frame } from './Frame';
import { LiveIndicator, LiveProvider } from './live';
import { NavGroup, NavItem } from './NavItem';
import classes from './TenantFrame.module.css';
import { UserMenu } from './UserMenu';

const Search = lazyPart(() => import('@/search/Search'));

const mac = /mac|iphone|ipad/i.test(navigator.userAgent);

export function TenantFrame() {
  const { t } = useTranslation('app');
  const tenant = useTenantSlug();
  const [searching, setSearching] = useState(false);
  const everSearched = useEver(searching);
  const openSearch = () => setSearching(true);
  useHotkeys([['mod+K', openSearch]], []);
  const { data, error, refetch } = useQuery(tenantQuery(tenant));
  const failure = failureOf({ data, error });
  const gone = isApiError(failure, 'not_found');

  return (
    <LiveProvider tenant={tenant} key={tenant}>
      <MovesProvider>
        <Frame
          place={<TenantSwitcher />}
          navigation={!gone && <Navigation />}
          foot={<PlanFoot />}
          scope={!gone && <WorkerSelector />}
          tools={
            <>
              {!gone && <LiveIndicator />}
              <UnstyledButton className={classes.search} onClick={openSearch}>
                <IconSearch size={15} stroke={1.8} aria-hidden />
                <span>{t('search')}</span>
                <Kbd size="xs">{mac ? '⌘ K' : 'Ctrl K'}</Kbd>
              </UnstyledButton>
              <Tooltip label={t('search')}>
                <ActionIcon className={classes.searchSmall} size="lg" aria-label={t('search')} onClick={openSearch}>
                  <IconSearch size={18} />
                </ActionIcon>
              </Tooltip>
              <UserMenu />
            </>
          }
        >
          {gone ? (
            <NoEntry />
          ) : failure ? (
            <ErrorPanel error={error} retry={() => void refetch()} />
          ) : (
            <>
              <SupportBanner />
              <SuspendedNotice />
              <Outlet />
            </>
          )}
        </Frame>
      </MovesProvider>
      {everSearched && (
        <Suspense>
          <Search opened={searching} onClose={() => setSearching(false)} />
        </Suspense>
      )}
    </LiveProvider>
  );
}

function SuspendedNotice() {
  const { t } = useTranslation('app');
  const { suspended } = usePermissions();
  if (!suspended) return null;
  return (
    <Text className={classes.notice} role="status">
      {t('suspended')}
    </Text>
  );
}

function Navigation() {
  const { t } = useTranslation('app');
  const tenant = useTenantSlug();
  const may = usePermissions();
  const { data: workers } = useWorkers();
  const { data: bots } = useBots();
  const troubled = useMemo(() => attentionOf(workers ?? [], bots ?? []).length, [workers, bots]);
  const params = { tenant };
  return (
    <nav aria-label={t('navigation')}>
      <NavGroup>
        <NavItem
          icon={IconLayoutDashboard}
          label={t('nav.overview')}
          link={{ to: '/t/$tenant', params }}
          exact
          count={troubled}
          countLabel={t('nav.attention', { count: troubled })}
        />
        <NavItem icon={IconServer2} label={t('nav.workers')} link={{ to: '/t/$tenant/workers', params }} />
        <NavItem icon={IconRobot} label={t('nav.bots')} link={{ to: '/t/$tenant/bots', params }} />
        <NavItem icon={IconActivity} label={t('nav.activity')} link={{ to: '/t/$tenant/activity', params }} />
      </NavGroup>
      <NavGroup label={t('nav.company')}>
        {may.seeMembers && (
          <NavItem icon={IconUsersGroup} label={t('nav.team')} link={{ to: '/t/$tenant/team', params }} />
        )}
        <NavItem icon={IconKey} label={t('nav.secrets')} link={{ to: '/t/$tenant/secrets', params }} />
        {may.ownTokens && <NavItem icon={IconApi} label={t('nav.tokens')} link={{ to: '/t/$tenant/tokens', params }} />}
      </NavGroup>
    </nav>
  );
}
