import { Menu } from '@mantine/core';
import { IconArrowRight, IconExternalLink } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';

export interface BotMenuAnchor {
  bot: Bot;
  element: HTMLElement;
}

interface Props {
  anchor: BotMenuAnchor;
  tenant: string;
  canMove: boolean;
  onMove: (bot: Bot) => void;
  onClose: () => void;
}

/** The menu of a bot on the board. One for all of them, placed at the button that opened it. */
export function BotMenu({ anchor: { bot, element }, tenant, canMove, onMove, onClose }: Props) {
  const { t } = useTranslation('workers');
  const navigate = useNavigate();
  const place = element.getBoundingClientRect();
  return (
    <Menu
      opened
      onClose={() => {
        onClose();
        element.focus();
      }}
      position="bottom-end"
      width={250}
      returnFocus={false}
    >
      <Menu.Target>
        <span
          aria-hidden
          style={{
            position: 'fixed',
            top: place.top,
            left: place.left,
            width: place.width,
            height: place.height,
            pointerEvents: 'none',
          }}
        />
      </Menu.Target>
      <Menu.Dropdown aria-label={t('board.menuOf', { name: bot.name })}>
        <Menu.Item
          leftSection={<IconExternalLink size={16} />}
          onClick={() => void navigate({ to: '/t/$tenant/bots/$botId', params: { tenant, botId: bot.id } })}
        >
          {t('board.openBot')}
        </Menu.Item>
        {canMove && (
          <Menu.Item
            leftSection={<IconArrowRight size={16} />}
            rightSection="M"
            disabled={Boolean(bot.move_id)}
            onClick={() => onMove(bot)}
          >
            {t('board.moveBot')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
