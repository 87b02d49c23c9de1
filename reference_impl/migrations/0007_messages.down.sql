DROP TABLE room_messages;
