#!/bin/sh
# Asks every method of Axialys' WebAppel with curl, one line each: the method and its answer, its lines joined by |.
#   sh axialys.sh BASE EMAIL PASS SOUND VISITOR   SOUND: a WAV file, VISITOR: who wants to be called
set -eu
base=$1 email=$2 pass=$3 sound=$4 visitor=$5
ask() { # ask METHOD PARAMETERS [OPTIONS OF CURL]
    method=$1 parameters=$2
    shift 2
    answer=$(curl --silent --show-error --fail --globoff "$@" \
        "$base/get/webappel/api.php?methode=$method&email=$email&pass=$pass$parameters" | tr '\n' '|')
    echo "$method $answer"
}

ask operateur_ajout "&nom_liste_op=accueil&e164=33639980021&duree_sonnerie_op=30&position=2"
ask operateur_ajout "&nom_liste_op=accueil&e164=33639980022&priorite=1"
ask operateur_ajout "&nom_liste_op=accueil&e164=33639980023"
ask operateur_supp "&nom_liste_op=accueil&e164=33639980023"
ask operateur_mode "&nom_liste_op=accueil&ordonnancement=TOURNANTE"
ask operateurs_listing "&nom_liste_op=accueil"
ask operateurs_liste_groupes ""
ask blacklistage_numero "&e164=33639980029"
ask blacklistage_IP "&ip=192.0.2.66"

ask planning_plage_add "&nom_plage=semaine&jour[]=lundi&h_debut[]=0:00&h_fin[]=12:00&jour[]=mardi&h_debut[]=9:00&h_fin[]=18:00"
ask planning_plage_del "&nom_plage=semaine&jour[0]=lundi&h_debut[0]=0:00&h_fin[0]=12:00"
ask planning_exception_add "&nom_plage=semaine&date=10&mois=3&annee=2031"
ask planning_exception_add "&nom_plage=semaine&date=11&mois=3&annee=2031"
ask planning_exception_del "&nom_plage=semaine&date=11&mois=3&annee=2031"
ask planning_plage_details "&nom_plage=semaine"
ask planning_plages_listing ""

popup=$(curl --silent --fail "$base/get/webappel/api.php?methode=popup_ajout&email=$email&pass=$pass&nom_popup=accueil")
echo "popup_ajout $popup"
ask popup_maj "&id_popup=$popup&ouvert_dest=accueil&usr1_nom=Commande&voix=m"
ask popup_destination_supp "&id_popup=$popup&liste_destination[]=BE_Fixe&liste_destination[]=BE_Mobile"
ask popup_destination_ajout "&id_popup=$popup&liste_destination[]=BE_Mobile"
ask popup_destinations "&id_popup=$popup"
ask fichier_deposer "&id_popup=$popup&type=son_repondeur" --form "son_repondeur=@$sound"
ask fichier_deposer "&id_popup=$popup&type=son_internaute" --form "fichier=@$sound"
ask fichier_supprimer "&id_popup=$popup&type=son_internaute"
ask popups_listing ""
echo "fichier_recuperer $(curl --silent --fail --output /dev/null --write-out '%{content_type}' \
    "$base/get/webappel/api.php?methode=fichier_recuperer&email=$email&pass=$pass&id_popup=$popup&type=son_repondeur")"

later=$(curl --silent --fail "$base/get/webappel/api.php?methode=appel&email=$email&pass=$pass&id_popup=$popup&e164=33639980028&delais=900")
ask appel_annuler "&id_popup=$popup&id_contact=$later"
ask appel "&id_popup=$popup&e164=$visitor&nom=Jade;+Robert&usr1=RXF46GSDG&nbressais=0&rec=0&dureemaxi=600&client_ip=198.51.100.7"
ask appel_listing "&id_popup=$popup&id_tracking=$later"
ask appels_resume "&id_popup=$popup&id_tracking=$later"

other=$(curl --silent --fail "$base/get/webappel/api.php?methode=popup_ajout&email=$email&pass=$pass&nom_popup=autre")
ask popup_del "&id_popup=$other"
