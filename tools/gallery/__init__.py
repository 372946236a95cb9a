"""The pictures of docs/gallery.md, drawn by tools/draw_gallery.py."""
