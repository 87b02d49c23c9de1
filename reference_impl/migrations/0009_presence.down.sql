DROP TABLE room_members;
DROP TABLE rooms;
DROP TABLE socket_workers;
