-- yoyo writes its log and its lock row.
-- expect: nothing
INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 4711);
DELETE FROM yoyo_lock;
DELETE FROM _yoyo_log;
