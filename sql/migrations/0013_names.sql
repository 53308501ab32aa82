-- Names are limited in letters as a reader counts them, and a letter may take several code points: a family
-- emoji, a syllable of an Indic script. `models.profiles.names` enforces 40 letters; this is the bound in
-- code points.
alter table users drop constraint users_name_check;
alter table users add constraint users_name_check check (char_length(name) between 1 and 640);
