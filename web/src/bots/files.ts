/** A bot's name as part of the name of a file. */
export const fileName = (bot: string): string => bot.replaceAll(/[^\p{L}\p{N}]+/gu, '-');
