// What happens when everything is loaded.
report.charts.start();
