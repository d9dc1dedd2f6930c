import { Avatar, Menu, ScrollArea, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconCheck, IconSelector, IconShieldCog } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useMe } from '@/session/queries';
import { MenuItemLink } from '@/ui/links';
import { tenantQuery, useTenantSlug } from './queries';
import classes from './TenantSwitcher.module.css';

/** Where the person is, and for people of several tenants the way to another. */
export function TenantSwitcher() {
  const { t } = useTranslation('tenants');
  const me = useMe();
  const slug = useTenantSlug();
  const membership = me.tenants.find((m) => m.tenant.slug === slug || m.tenant.id === slug);
  const { data: tenant } = useQuery(tenantQuery(slug));
  const name = tenant?.name ?? membership?.tenant.name ?? slug;
  const role = membership && !membership.support ? membership.role : me.operator ? 'platform' : undefined;
  // Who was taken out of the company that is shown needs the way to the only one that is left.
  const single = me.tenants.every((m) => m === membership) && !me.operator;

  const face = (
    <>
      <Avatar size={32} radius="md" color="cobalt" variant="filled" aria-hidden>
        {name.slice(0, 1).toUpperCase()}
      </Avatar>
      <span className={classes.words}>
        <span className={classes.name}>{name}</span>
        {role && <span className={classes.role}>{t(`role.${role}`)}</span>}
      </span>
    </>
  );
  if (single) return <div className={classes.face}>{face}</div>;

  return (
    <Menu position="bottom-start" width={256}>
      <Menu.Target>
        <UnstyledButton className={classes.face} data-button>
          {face}
          <VisuallyHidden>{t('switch')}</VisuallyHidden>
          <IconSelector size={16} stroke={1.7} aria-hidden className={classes.arrows} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('yours')}</Menu.Label>
        <ScrollArea.Autosize mah={320}>
          {me.tenants.map((m) => (
            <MenuItemLink
              key={m.tenant.id}
              className={classes.choice}
              to="/t/$tenant"
              params={{ tenant: m.tenant.slug }}
              search={{ worker: undefined }}
              rightSection={
                m.tenant.slug === slug ? <IconCheck size={15} role="img" aria-label={t('current')} /> : undefined
              }
            >
              {m.tenant.name}
            </MenuItemLink>
          ))}
        </ScrollArea.Autosize>
        {me.operator && (
          <>
            <Menu.Divider />
            <MenuItemLink to="/operator" leftSection={<IconShieldCog size={16} />}>
              {t('platform')}
            </MenuItemLink>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
