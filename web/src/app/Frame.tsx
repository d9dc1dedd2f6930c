import { Burger, ScrollArea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useRouterState } from '@tanstack/react-router';
import { type ReactNode, Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { lazyPart } from '@/ui/lazyPart';
import { useEver } from '@/ui/useEver';
import classes from './Frame.module.css';

const MenuDrawer = lazyPart(() => import('./MenuDrawer'));

interface Props {
  /** At the top of the side bar: where the person is. */
  place: ReactNode;
  navigation: ReactNode;
  /** At the foot of the side bar. */
  foot?: ReactNode;
  /** The left and right part of the top bar. */
  scope?: ReactNode;
  tools: ReactNode;
  children: ReactNode;
}

/** The frame around every page: side bar (a drawer on small screens), top bar, content. */
export function Frame({ place, navigation, foot, scope, tools, children }: Props) {
  const { t } = useTranslation('app');
  const [opened, drawer] = useDisclosure(false);
  const everOpened = useEver(opened);
  const pathname = useRouterState({ select: (s) => s.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the drawer
  useEffect(() => drawer.close(), [pathname]);

  const side = (
    <>
      <div className={classes.place}>{place}</div>
      <ScrollArea className={classes.nav} type="auto" scrollbarSize={6}>
        {navigation}
      </ScrollArea>
      {foot && <div className={classes.foot}>{foot}</div>}
    </>
  );

  return (
    <div className={classes.root}>
      <a className="skip-link" href="#content">
        {t('skip')}
      </a>
      <aside className={classes.side} aria-label={t('menu')}>
        {side}
      </aside>
      <Suspense>
        {everOpened && (
          <MenuDrawer opened={opened} onClose={drawer.close}>
            {side}
          </MenuDrawer>
        )}
      </Suspense>
      <header className={classes.top}>
        <Burger
          className={classes.burger}
          opened={opened}
          onClick={drawer.toggle}
          size="sm"
          aria-label={t('menu')}
          aria-expanded={opened}
        />
        <div className={classes.scope}>{scope}</div>
        <div className={classes.tools}>{tools}</div>
      </header>
      <main id="content" className={classes.main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
