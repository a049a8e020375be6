-- Texts to descriptors, by a network that looks up (n, 1, n * n) for token number n.
\set network '''\\x08073aae010a200a057461626c650a036964731204726f77731a04726f777322064761746865722a5708060803100142057461626c654a48000000000000803f000000000000803f0000803f0000803f000000400000803f00008040000040400000803f00001041000080400000803f000080410000a0400000803f0000c8415a150a03696473120e0a0c080712080a0208010a020808621a0a04726f777312120a100801120c0a0208010a0208080a0208034202100d'''
\set unknown '''\\x08073a520a1d0a036964731204726f77731a04726f7773220a46726f626e69636174655a150a03696473120e0a0c080712080a0208010a020808621a0a04726f777312120a100801120c0a0208010a0208080a0208034202100d'''
SET extra_float_digits = 0;
SELECT convert_to(E'[PAD]\n[UNK]\n[CLS]\n[SEP]\nblue\nrose\n', 'UTF8') AS vocabulary \gset
\set vocabulary '''' :vocabulary ''''

SELECT text_features('blue', 'net:rows@1');
SELECT register_text_model('rows', 1, :network, :vocabulary, 'wordpiece', 8, pooling => 'mean', normalized => false);
SELECT register_text_model('rows', 2, :network, :vocabulary, 'wordpiece', 8, normalized => false);
SELECT register_text_model('rows', 3, :network, :vocabulary, 'wordpiece', 8, pooling => 'first');
SELECT text_features('blue', 'net:rows@1'), text_features('Blue  rose!', 'net:rows@1');
SELECT text_features('blue', 'net:rows@2'), text_features('blue', 'net:rows@3');
SELECT text_features('', 'net:rows@1'), text_features(NULL, 'net:rows@1') IS NULL AS none;
-- From the cache, which tells texts from pictures and networks from each other.
SELECT text_features(t, 'net:rows@1') = text_features(t, 'net:rows@1') AS equal,
       text_features(t, 'net:rows@1') = text_features(t, 'net:rows@2') AS same_network
  FROM (VALUES ('blue')) AS v (t);
SELECT kind, name, version, options - 'tokenizer_bytes' AS options, dims FROM lookalike_models ORDER BY version;


SELECT provolatile, proparallel, proisstrict FROM pg_proc WHERE proname = 'text_features';

-- Refused.
SELECT text_features('blue', 'net:rows@9');
SELECT text_features('blue', 'color');
SELECT text_features('blue', 'net:rows@1:2');
SELECT text_features('blue', 'net:rows@1+net:rows@2');
SELECT text_features('blue', 'rows@1');
SELECT text_features(repeat('a', 10000000), 'net:rows@1');
SELECT image_features('blue', 'net:rows@1');
SELECT image_features('blue', 'text:net:rows@1');
SELECT register_text_model('x', 1, :network, :vocabulary, 'sentencepiece', 8);
SELECT register_text_model('x', 1, :network, :vocabulary, 'wordpiece', 8, pooling => 'last');
SELECT register_text_model('x', 1, :network, :vocabulary, 'wordpiece', 3);
SELECT register_text_model('x', 1, :network, :vocabulary, 'wordpiece', 9);
SELECT register_text_model('x', 1, :network, :vocabulary, 'wordpiece', 8, layer => 'nothing');
SELECT register_text_model('x', 1, :network, 'blue', 'wordpiece', 8);
SELECT register_text_model('x', 1, :network, '\xfffe20', 'clip', 8);
SELECT register_text_model('x', 1, :network, convert_to(repeat(E'a b\n', 1000000), 'UTF8'), 'clip', 8);
SELECT register_text_model('x', 1, :unknown, :vocabulary, 'wordpiece', 8);
SELECT register_text_model('x', 1, 'junk', :vocabulary, 'wordpiece', 8);
SELECT register_text_model('X', 1, 'junk', :vocabulary, 'wordpiece', 8);
SELECT register_image_model('text:x', 1, 'junk');
SELECT count(*) FROM lookalike_models WHERE name = 'x';

-- Not dropped while it is used.
CREATE TABLE titles (title text, features descriptor GENERATED ALWAYS AS (text_features(title, 'net:rows@1')) STORED);
INSERT INTO titles VALUES ('blue rose');
SELECT features FROM titles;
SELECT drop_text_model('rows', 1);
DROP TABLE titles;
CREATE VIEW parted AS SELECT text_features(replace('a;b', ';', ' '), 'net:rows@01') AS features;
SELECT drop_text_model('rows', 1);
DROP VIEW parted;
SELECT drop_text_model('rows', 1), drop_text_model('rows', 2), drop_text_model('rows', 3), drop_text_model('rows', 4);
SELECT text_features('blue', 'net:rows@1');
