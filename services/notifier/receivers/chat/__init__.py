"""Messages to chats: a letter as short blocks of text, by one interface for each service."""
