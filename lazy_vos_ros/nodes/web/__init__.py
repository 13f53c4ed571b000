"""The operator's web page: what a browser shows and sends, and who may."""
