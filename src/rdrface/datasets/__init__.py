"""Sets of annotated faces: records, readers of the field's formats, packed windows, augmentation, contact sheets."""
