import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './Frame.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** The side bar on small screens. */
export default function MenuDrawer({ opened, onClose, children }: Props) {
  const { t } = useTranslation('app');
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      size={284}
      padding={0}
      withCloseButton={false}
      title={t('menu')}
      classNames={{ header: classes.drawerHeader, body: classes.drawerBody, content: classes.drawerContent }}
    >
      {children}
    </Drawer>
  );
}
