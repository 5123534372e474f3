#!/bin/sh
# Makes the files of this folder with CDO 2.1.1: weights between source.txt and target.txt, and what CDO makes of a field with them.
set -e
cdo="cdo -s -O -b F64"
$cdo -f nc4 -setname,t -random,source.txt,1 source.nc
$cdo -f nc4 -sellonlatbox,-20,60,-40,50 source.nc part.nc
for method in con bil nn bic; do
    $cdo -f nc4 gen$method,target.txt source.nc cdo_$method.nc
    $cdo -f nc4 setname,$method -remap$method,target.txt source.nc field_$method.nc
done
CDO_REMAP_NORM=fracarea $cdo -f nc4 gencon,target.txt part.nc cdo_part_fracarea.nc
CDO_REMAP_NORM=destarea $cdo -f nc4 gencon,target.txt part.nc cdo_part_destarea.nc
$cdo -f nc4 merge field_con.nc field_bil.nc field_nn.nc field_bic.nc fields.nc
rm field_*.nc
