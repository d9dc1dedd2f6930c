import { Anchor, type AnchorProps, Button, type ButtonProps, Menu, type MenuItemProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type Native<Props> = Props &
  Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof Props> & { ref?: Ref<HTMLAnchorElement> };

/** The library's button, text link and menu item as links of the router: their addresses are checked by type. */
export const ButtonLink = createLink((props: Native<ButtonProps>) => <Button component="a" {...props} />);
export const AnchorLink = createLink((props: Native<AnchorProps>) => <Anchor {...props} />);
export const MenuItemLink = createLink((props: Native<MenuItemProps>) => <Menu.Item component="a" {...props} />);
