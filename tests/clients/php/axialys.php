<?php
// Asks each method of Axialys' WebAppel in turn with the curl library, as sites of the time did: everything in
// the query, a file by POST as multipart/form-data, and whatever is not what the document promises is an error.
//
//   php axialys.php BASE EMAIL PASS SOUND      prints a line for each method: its name and its answer

[, $base, $email, $pass, $sound] = $argv;

function ask(string $methode, array $parameters = [], ?string $file = null): string
{
    global $base, $email, $pass;
    // http_build_query writes arrays as jour[0]=lundi.
    $query = http_build_query(['methode' => $methode, 'email' => $email, 'pass' => $pass] + $parameters);
    $ch = curl_init("$base/get/webappel/api.php?$query");
    curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
    if ($file !== null) {
        curl_setopt($ch, CURLOPT_POST, true);
        curl_setopt($ch, CURLOPT_POSTFIELDS, [$parameters['type'] => new CURLFile($file, 'audio/wav', 'accueil.wav')]);
    }
    $answer = curl_exec($ch);
    if ($answer === false) {
        fwrite(STDERR, curl_error($ch));
        exit(1);
    }
    echo $methode, ' ', str_replace("\n", '|', strlen($answer) > 2000 ? strlen($answer) . ' bytes' : $answer), "\n";
    return $answer;
}

$group = ['nom_liste_op' => 'boutique'];
ask('operateur_ajout', $group + ['e164' => '33639980031', 'duree_sonnerie_op' => 20]);
ask('operateur_ajout', $group + ['e164' => '33639980032']);
ask('operateur_mode', $group + ['ordonnancement' => 'RANDOM']);
ask('operateur_supp', $group + ['e164' => '33639980032']);
ask('operateurs_listing', $group);
ask('operateurs_liste_groupes');
ask('blacklistage_numero', ['e164' => '33639980039']);
ask('blacklistage_IP', ['ip' => '203.0.113.66']);

$week = ['nom_plage' => 'magasin'];
foreach (['planning_plage_add', 'planning_plage_del', 'planning_plage_add'] as $methode) {
    ask($methode, $week + ['jour' => ['lundi', 'samedi'], 'h_debut' => ['9:00', '10:00'], 'h_fin' => ['19:00', '12:30']]);
}
ask('planning_exception_add', $week + ['date' => 25, 'mois' => 12, 'annee' => 2031]);
ask('planning_exception_add', $week + ['date' => 26, 'mois' => 12, 'annee' => 2031]);
ask('planning_exception_del', $week + ['date' => 26, 'mois' => 12, 'annee' => 2031]);
ask('planning_plage_details', $week);
ask('planning_plages_listing');

$popup = ['id_popup' => (int) ask('popup_ajout', ['nom_popup' => 'boutique', 'ouvert_dest' => 'boutique'])];
ask('popup_maj', $popup + ['ouvert_message' => 'Été ; hiver', 'direction' => 'INTERNAUTE']);
ask('popup_destination_supp', $popup + ['liste_destination' => ['FR_Fixe', 'BE_Fixe']]);
ask('popup_destination_ajout', $popup + ['liste_destination' => ['FR_Fixe']]);
ask('popup_destinations', $popup);
ask('fichier_deposer', $popup + ['type' => 'son_repondeur'], $sound);
ask('fichier_recuperer', $popup + ['type' => 'son_repondeur']);
ask('popups_listing');
ask('fichier_supprimer', $popup + ['type' => 'son_repondeur']);

$id = ask('appel', $popup + ['e164' => '33639980038', 'delais' => 600, 'nom' => 'Zoé', 'usr2' => 'été']);
ask('appel_annuler', $popup + ['id_contact' => $id]);
ask('appel_listing', $popup + ['id_tracking' => $id]);
ask('appels_resume', $popup + ['id_tracking' => $id]);
ask('popup_del', $popup);
ask('popup_maj', $popup + ['nom_popup' => 'disparue']);
