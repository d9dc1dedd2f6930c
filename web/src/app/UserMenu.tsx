import {
  Avatar,
  Menu,
  SegmentedControl,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core';
import { IconDeviceDesktop, IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { currentLanguage, type Language, setLanguage } from '@/i18n';
import { useMe } from '@/session/queries';
import { useSignOut } from '@/session/signOut';
import { MenuItemLink } from '@/ui/links';

export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase();
}

export function UserMenu() {
  const { t } = useTranslation('app');
  const me = useMe();
  const signOut = useSignOut();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const name = me.name || me.email;
  return (
    <Menu position="bottom-end" width={264}>
      <Menu.Target>
        <UnstyledButton style={{ borderRadius: '50%' }}>
          <Avatar size={32} radius="xl" color="cobalt" variant="light" aria-hidden>
            {initials(name)}
          </Avatar>
          <VisuallyHidden>{t('userMenu', { name })}</VisuallyHidden>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div style={{ padding: '8px 12px 10px' }}>
          <Text fw={600} truncate>
            {name}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {me.email}
          </Text>
        </div>
        <Menu.Divider />
        <div style={{ padding: '8px 12px', display: 'grid', gap: 10 }}>
          <div>
            <Text size="xs" c="dimmed" mb={4} id="theme-label">
              {t('theme.label')}
            </Text>
            <SegmentedControl
              fullWidth
              size="xs"
              aria-labelledby="theme-label"
              value={colorScheme}
              onChange={(value) => setColorScheme(value as 'light' | 'dark' | 'auto')}
              data={[
                { value: 'light', label: <Choice icon={<IconSun size={14} aria-hidden />} text={t('theme.light')} /> },
                { value: 'dark', label: <Choice icon={<IconMoon size={14} aria-hidden />} text={t('theme.dark')} /> },
                {
                  value: 'auto',
                  label: <Choice icon={<IconDeviceDesktop size={14} aria-hidden />} text={t('theme.auto')} />,
                },
              ]}
            />
          </div>
          <div>
            <Text size="xs" c="dimmed" mb={4} id="user-language-label">
              {t('language')}
            </Text>
            <SegmentedControl
              fullWidth
              size="xs"
              aria-labelledby="user-language-label"
              value={currentLanguage()}
              onChange={(value) => void setLanguage(value as Language)}
              data={[
                { value: 'pt-BR', label: 'Português' },
                { value: 'en', label: 'English' },
              ]}
            />
          </div>
        </div>
        <Menu.Divider />
        <MenuItemLink to="/account" leftSection={<IconUserCircle size={16} />}>
          {t('account')}
        </MenuItemLink>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={signOut}>
          {t('signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Choice({ icon, text }: { icon: React.ReactNode; text: string }) {
  return (
    <span style={{ display: 'inline-flex', gap: 5, alignItems: 'center', justifyContent: 'center' }}>
      {icon}
      {text}
    </span>
  );
}
