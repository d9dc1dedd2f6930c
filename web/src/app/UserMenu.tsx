import {
  Avatar,
  Button,
  Divider,
  Popover,
  SegmentedControl,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core';
import { IconDeviceDesktop, IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { currentLanguage, type Language, setLanguage } from '@/i18n';
import { useMe } from '@/session/queries';
import { useSignOut } from '@/session/signOut';
import { ButtonLink } from '@/ui/links';

export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase();
}

const item = {
  variant: 'subtle',
  color: 'gray',
  justify: 'flex-start',
  fullWidth: true,
  c: 'inherit',
  fw: 400,
} as const;

/** The person's own: look, language, account, the way out. No menu by role, since a menu can't hold choices like these. */
export function UserMenu() {
  const { t } = useTranslation('app');
  const me = useMe();
  const signOut = useSignOut();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const name = me.name || me.email;
  const [opened, setOpened] = useState(false);
  return (
    <Popover position="bottom-end" width={264} shadow="md" opened={opened} onChange={setOpened} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton style={{ borderRadius: '50%' }} onClick={() => setOpened((o) => !o)}>
          <Avatar size={32} radius="xl" color="cobalt" variant="light" aria-hidden>
            {initials(name)}
          </Avatar>
          <VisuallyHidden>{t('userMenu', { name })}</VisuallyHidden>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p={4} aria-label={t('userMenu', { name })}>
        <div style={{ padding: '8px 12px 10px' }}>
          <Text fw={600} truncate>
            {name}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {me.email}
          </Text>
        </div>
        <Divider my={4} />
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
        <Divider my={4} />
        <ButtonLink to="/account" {...item} leftSection={<IconUserCircle size={16} />} onClick={() => setOpened(false)}>
          {t('account')}
        </ButtonLink>
        <Button {...item} leftSection={<IconLogout size={16} />} onClick={signOut}>
          {t('signOut')}
        </Button>
      </Popover.Dropdown>
    </Popover>
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
