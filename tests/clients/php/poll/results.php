<?php
// The page where everybody sees how the poll stands.

require __DIR__ . '/ballot.php';
$ballot = with_ballot(fn (array $ballot) => $ballot);
?>
<!doctype html>
<meta charset="utf-8">
<title>Poll</title>
<h1><?= htmlspecialchars($ballot['question']) ?></h1>
<table>
<?php foreach ($ballot['votes'] as $letter => $votes): ?>
<tr><th><?= $letter ?></th><td><?= $votes ?></td></tr>
<?php endforeach ?>
</table>
<p>Sent to: <?= htmlspecialchars(implode(', ', $ballot['told'])) ?></p>
