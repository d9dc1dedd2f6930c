import { IconArrowLeft, IconBuildingSkyscraper, IconGauge, IconTicket } from '@tabler/icons-react';
import { Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/problem';
import { Frame } from '@/app/Frame';
import { NavGroup, NavItem } from '@/app/NavItem';
import { UserMenu } from '@/app/UserMenu';
import { useMe } from '@/session/queries';
import { ErrorPanel } from '@/ui/errors';
import { Logo } from '@/ui/Logo';
import classes from './OperatorFrame.module.css';

const forbidden = new ApiError({ status: 403, code: 'forbidden', message: '' });

/** The frame of the platform's own pages. */
export function OperatorFrame() {
  const { t } = useTranslation('operator');
  const me = useMe();
  return (
    <Frame
      place={
        <div className={classes.place}>
          <Logo size={26} />
          <span className={classes.label}>{t('platform')}</span>
        </div>
      }
      navigation={
        <nav aria-label={t('platform')}>
          <NavGroup>
            <NavItem icon={IconBuildingSkyscraper} label={t('nav.tenants')} link={{ to: '/operator' }} exact />
            <NavItem icon={IconTicket} label={t('nav.plans')} link={{ to: '/operator/plans' }} />
            <NavItem icon={IconGauge} label={t('nav.health')} link={{ to: '/operator/platform' }} />
          </NavGroup>
          {me.tenants.length > 0 && (
            <NavGroup label={t('nav.mine')}>
              {me.tenants.slice(0, 5).map((m) => (
                <NavItem
                  key={m.tenant.id}
                  icon={IconArrowLeft}
                  label={m.tenant.name}
                  link={{ to: '/t/$tenant', params: { tenant: m.tenant.slug } }}
                />
              ))}
            </NavGroup>
          )}
        </nav>
      }
      scope={<span className={classes.scope}>{t('scope')}</span>}
      tools={<UserMenu />}
    >
      {me.operator ? <Outlet /> : <ErrorPanel error={forbidden} />}
    </Frame>
  );
}
